import { expect } from 'chai';
import { peerAddress, peerFacts } from '../../../src/worker/transport/peer.ts';

const localEnd = { address: '127.0.0.1', port: 80 };
const tcp = { localEnd, remoteEnd: { address: '192.0.2.1', port: 5000 } };
const unix = { localEnd: {}, remoteEnd: {} };

describe('the peer of a connection', () => {
  it('is known by its addresses', () => {
    expect(peerFacts(tcp, { scheme: 'http' })).to.deep.equal({
      serverName: '127.0.0.1',
      serverPort: '80',
      remoteAddress: '192.0.2.1',
      remotePort: '5000',
      scheme: 'http',
      host: undefined,
    });
  });

  it('on a unix socket has none', () => {
    expect(peerFacts(unix, { scheme: 'https' })).to.include({
      serverName: 'unix',
      remoteAddress: 'unix',
      remotePort: '',
    });
  });

  it('that reset its TCP connection before it was accepted does not pass for one on a unix socket', () => {
    expect(peerAddress({ localEnd, remoteEnd: {} })).to.equal('unknown');
  });

  it('has the end of the server that all connections of its socket have', () => {
    const local = { address: '::1', port: '8000' };
    const facts = peerFacts({ ...tcp, localEnd: {} }, { scheme: 'http', local });
    expect(facts).to.include({ serverName: '::1', serverPort: '8000', remoteAddress: '192.0.2.1' });
  });

  it('is what a PROXY header tells', () => {
    const ends = { remote: { address: '::1', port: '1' }, local: { address: '::2', port: '2' } };
    const [plain, secure] = [false, true].map((isTls) => ({ ...ends, isTls }));
    expect(peerFacts(tcp, { scheme: 'http', told: plain })).to.include({
      remoteAddress: '::1',
      serverPort: '2',
      scheme: 'http',
    });
    expect(peerFacts(tcp, { scheme: 'http', told: secure }).scheme).to.equal('https');
    expect(peerFacts(tcp, { scheme: 'https', told: plain }).scheme).to.equal('https');
  });
});
