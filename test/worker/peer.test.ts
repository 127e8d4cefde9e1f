import type { Socket } from 'node:net';
import { expect } from 'chai';
import { peerAddress, peerFacts } from '../../src/worker/peer.ts';

const socket = (ends: Partial<Socket>): Socket => ends as Socket;
const tcp = socket({ localAddress: '127.0.0.1', localPort: 80, remoteAddress: '192.0.2.1', remotePort: 5000 });

describe('the peer of a connection', () => {
  it('is known by its addresses', () => {
    expect(peerFacts(tcp, 'http')).to.deep.equal({
      serverName: '127.0.0.1',
      serverPort: '80',
      remoteAddress: '192.0.2.1',
      remotePort: '5000',
      scheme: 'http',
      host: undefined,
    });
  });

  it('on a unix socket has none', () => {
    expect(peerFacts(socket({}), 'https')).to.include({ serverName: 'unix', remoteAddress: 'unix', remotePort: '' });
  });

  it('that reset its TCP connection before it was accepted does not pass for one on a unix socket', () => {
    expect(peerAddress(socket({ localAddress: '127.0.0.1', localPort: 80 }))).to.equal('unknown');
  });

  it('is what a PROXY header tells', () => {
    const ends = { remote: { address: '::1', port: '1' }, local: { address: '::2', port: '2' } };
    expect(peerFacts(tcp, 'http', { ...ends, isTls: false })).to.include({
      remoteAddress: '::1',
      serverPort: '2',
      scheme: 'http',
    });
    expect(peerFacts(tcp, 'http', { ...ends, isTls: true }).scheme).to.equal('https');
    expect(peerFacts(tcp, 'https', { ...ends, isTls: false }).scheme).to.equal('https');
  });
});
