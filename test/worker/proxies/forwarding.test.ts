import { expect } from 'chai';
import { resolveServerInput } from '../../../src/shared/options/input.ts';
import type { ServerOptionsInput } from '../../../src/shared/options/table.ts';
import type { PeerFacts } from '../../../src/worker/transport/peer.ts';
import { trustedProxiesOf } from '../../../src/worker/proxies/forwarding.ts';

const peerAt = (remoteAddress: string): PeerFacts => ({
  serverName: '::',
  serverPort: '80',
  remoteAddress,
  remotePort: '1',
  scheme: 'http',
  host: undefined,
});
const proxies = (options: ServerOptionsInput) => trustedProxiesOf(resolveServerInput(options));
const variables = {
  HTTP_X_FORWARDED_FOR: '192.0.2.1',
  HTTP_FORWARDED: 'for=192.0.2.2',
  HTTP_X_FORWARDED_PROTO: 'https',
};

describe('forwarding', () => {
  it('is off when nobody is trusted', () => {
    expect(proxies({})).to.equal(undefined);
  });

  it('is there for connections of trusted peers alone', () => {
    const trusted = proxies({ trustedProxies: ['10.0.0.0/8', 'unix'] })!;
    for (const address of ['10.1.1.1', '::ffff:10.1.1.1', 'unix']) {
      expect(trusted.connection(peerAt(address)), address).to.not.equal(undefined);
    }
    for (const address of ['192.0.2.1', '::1', 'unknown']) {
      expect(trusted.connection(peerAt(address)), address).to.equal(undefined);
    }
  });

  it('believes the headers of the option alone', () => {
    const peer = peerAt('127.0.0.1');
    const factsWith = (...trustedHeaders: string[]) =>
      proxies({ trustedProxies: 'loopback', trustedHeaders })!.connection(peer)!.factsOf(variables, 'a');
    expect(factsWith('forwarded')).to.include({ remoteAddress: '192.0.2.2', scheme: 'http' });
    expect(factsWith('x-forwarded-for')).to.include({ remoteAddress: '192.0.2.1', scheme: 'http' });
    expect(factsWith('x-forwarded-proto')).to.include({ remoteAddress: '127.0.0.1', scheme: 'https' });
    expect(factsWith('x-forwarded-host')).to.equal(peer);
  });

  it('keeps what it made of fields that are repeated, and never of others', () => {
    const connection = proxies({ trustedProxies: 'loopback' })!.connection(peerAt('127.0.0.1'))!;
    const first = connection.factsOf(variables, 'a.example');
    expect(connection.factsOf({ ...variables, HTTP_ACCEPT: '*/*' }, 'a.example')).to.equal(first);
    expect(connection.factsOf(variables, 'a.example:81')).to.include({ remoteAddress: '192.0.2.1', serverPort: '81' });
    expect(connection.factsOf({ HTTP_X_FORWARDED_FOR: '192.0.2.3' }, 'a.example')).to.include({
      remoteAddress: '192.0.2.3',
      scheme: 'http',
    });
    expect(connection.factsOf({}, 'a.example')).to.include({ remoteAddress: '127.0.0.1', scheme: 'http' });
    expect(connection.factsOf(variables, 'a.example')).to.deep.equal(first);
  });
});
