import { expect } from 'chai';
import * as fc from 'fast-check';
import { PeerList } from '../../../src/shared/options/peer-list.ts';
import type { PeerFacts } from '../../../src/worker/transport/peer.ts';
import { clientFacts, type ForwardingFields } from '../../../src/worker/proxies/forwarded-client.ts';

/** The proxy at 10.0.0.1, which is connected to us in plain text. */
const peer: PeerFacts = {
  serverName: '10.0.0.9',
  serverPort: '8080',
  remoteAddress: '10.0.0.1',
  remotePort: '40000',
  scheme: 'http',
  host: undefined,
};
const trusted = new PeerList(['private', 'loopback', '2001:db8:1::/48']);
const none: ForwardingFields = {
  forwarded: undefined,
  for: undefined,
  proto: undefined,
  host: undefined,
  port: undefined,
};

const factsOf = (fields: Partial<ForwardingFields>, host?: string, from: PeerFacts = peer): PeerFacts =>
  clientFacts(from, { ...none, ...fields }, host, (address) => trusted.includes(address));
/** What differs from the peer. */
function changes(fields: Partial<ForwardingFields>, host = 'app.example'): Partial<PeerFacts> {
  const facts = factsOf(fields, host);
  const names = Object.keys(facts) as Array<keyof PeerFacts>;
  return Object.fromEntries(names.filter((name) => facts[name] !== peer[name]).map((name) => [name, facts[name]]));
}

const https = { scheme: 'https', serverPort: '443' };

describe('what trusted proxies say', () => {
  it('is nothing without their headers', () => {
    expect(factsOf({})).to.equal(peer);
  });

  for (const [what, fields, changed] of [
    // Who the client is.
    ['one client', { for: '192.0.2.1' }, { remoteAddress: '192.0.2.1', remotePort: '' }],
    ['a client with port', { for: '192.0.2.1:5000' }, { remoteAddress: '192.0.2.1', remotePort: '5000' }],
    ['an IPv6 client', { for: '2001:db8::1' }, { remoteAddress: '2001:db8::1', remotePort: '' }],
    ['one in brackets', { for: '[2001:db8::1]:5000' }, { remoteAddress: '2001:db8::1', remotePort: '5000' }],
    ['an invented client first', { for: '6.6.6.6, 192.0.2.1' }, { remoteAddress: '192.0.2.1', remotePort: '' }],
    ['trusted hops', { for: '192.0.2.1, 10.0.0.7,2001:db8:1::2' }, { remoteAddress: '192.0.2.1', remotePort: '' }],
    ['a client before them', { for: '6.6.6.6, 192.0.2.1, 10.0.0.7' }, { remoteAddress: '192.0.2.1', remotePort: '' }],
    ['trusted hops alone', { for: '10.0.0.7, 10.0.0.8' }, { remoteAddress: '10.0.0.7', remotePort: '' }],
    ['a mapped hop', { for: '192.0.2.1, ::ffff:10.0.0.7' }, { remoteAddress: '192.0.2.1', remotePort: '' }],
    ['empty members', { for: ' ,192.0.2.1, ,' }, { remoteAddress: '192.0.2.1', remotePort: '' }],
    ['a hidden client', { for: '6.6.6.6, unknown' }, { remoteAddress: 'unknown', remotePort: '' }],
    // Malformed: what was known before stays.
    ['nonsense', { for: 'nonsense' }, {}],
    ['nonsense on the left', { for: '<script>, 192.0.2.1' }, { remoteAddress: '192.0.2.1', remotePort: '' }],
    ['nonsense behind a hop', { for: '6.6.6.6, x, 10.0.0.7' }, { remoteAddress: '10.0.0.7', remotePort: '' }],
    ['no address', { for: '6.6.6.6, 300.0.0.1' }, {}],
    ['a zone', { for: 'fe80::1%eth0' }, {}],
    ['an empty list', { for: '' }, {}],
    // Scheme, host and port.
    ['https', { proto: 'https' }, https],
    ['HTTPS', { proto: 'HTTPS' }, https],
    ['wss', { proto: 'wss' }, https],
    ['an unknown scheme', { proto: 'javascript' }, {}],
    ['http', { proto: 'http' }, { serverPort: '80' }],
    ['a host', { host: 'a.example' }, { host: 'a.example', serverName: 'a.example', serverPort: '80' }],
    ['a host with port', { host: 'a.example:81' }, { host: 'a.example:81', serverName: 'a.example', serverPort: '81' }],
    [
      'an IPv6 host',
      { host: '[2001:db8::5]:81' },
      { host: '[2001:db8::5]:81', serverName: '2001:db8::5', serverPort: '81' },
    ],
    ['a bad host', { host: 'a/b' }, {}],
    ['a host with a blank', { host: 'a b' }, {}],
    ['a host with a bad port', { host: 'a.example:99999' }, {}],
    ['a port', { port: '8443' }, { serverPort: '8443' }],
    ['a bad port', { port: '99999' }, {}],
    ['a port that is none', { port: 'x' }, {}],
    [
      'a host and its port',
      { host: 'a.example', port: '8443', proto: 'https' },
      { host: 'a.example:8443', serverName: 'a.example', serverPort: '8443', scheme: 'https' },
    ],
    [
      'a host and the usual port',
      { host: 'a.example', port: '443', proto: 'https' },
      { host: 'a.example', serverName: 'a.example', ...https },
    ],
    [
      'everything',
      { for: '192.0.2.1', proto: 'https', host: 'a.example' },
      { remoteAddress: '192.0.2.1', remotePort: '', host: 'a.example', serverName: 'a.example', ...https },
    ],
    // Several proxies.
    [
      'lists that each proxy appended to',
      { for: '6.6.6.6, 192.0.2.1, 10.0.0.7', proto: 'ftp, https, http', host: 'x, a.example, inner' },
      { remoteAddress: '192.0.2.1', remotePort: '', host: 'a.example', serverName: 'a.example', ...https },
    ],
    [
      'one scheme for all',
      { for: '192.0.2.1, 10.0.0.7', proto: 'https' },
      { remoteAddress: '192.0.2.1', remotePort: '', ...https },
    ],
    [
      'a scheme that the client appended to',
      { for: '192.0.2.1', proto: 'https, http' },
      { remoteAddress: '192.0.2.1', remotePort: '', serverPort: '80' },
    ],
    [
      'lists that are shorter, and may begin with what the client wrote',
      { for: '192.0.2.1, 10.0.0.7, 10.0.0.8', proto: 'https, http', host: 'evil, good', port: '1, 2' },
      { remoteAddress: '192.0.2.1', remotePort: '' },
    ],
    // Forwarded.
    ['Forwarded', { forwarded: 'for=192.0.2.1' }, { remoteAddress: '192.0.2.1', remotePort: '' }],
    [
      'all of Forwarded',
      { forwarded: 'for="[2001:db8::1]:99";proto=https;host="a.example:8443";by=_x' },
      {
        remoteAddress: '2001:db8::1',
        remotePort: '99',
        host: 'a.example:8443',
        serverName: 'a.example',
        serverPort: '8443',
        scheme: 'https',
      },
    ],
    [
      'an element of each hop',
      { forwarded: 'for=6.6.6.6;host=x, for=192.0.2.1;proto=https, for=10.0.0.7;proto=http;host=inner' },
      { remoteAddress: '192.0.2.1', remotePort: '', ...https },
    ],
    [
      'a hidden client',
      { forwarded: 'for=_secret;proto=https' },
      { remoteAddress: '_secret', remotePort: '', ...https },
    ],
    ['an element that does not say for whom', { forwarded: 'for=6.6.6.6, proto=https' }, https],
    [
      'an open quote of the client',
      { forwarded: 'for="6.6.6.6, for=192.0.2.1' },
      { remoteAddress: '192.0.2.1', remotePort: '' },
    ],
    ['a malformed element', { forwarded: 'for=6.6.6.6, for=a b' }, {}],
    [
      'a malformed one behind a hop',
      { forwarded: 'for=a b, for=10.0.0.7;proto=https' },
      { remoteAddress: '10.0.0.7', remotePort: '', ...https },
    ],
    ['a bare IPv6 address, which Forwarded does not have', { forwarded: 'for="2001:db8::1"' }, {}],
    // Both: see hopsOf.
    [
      'X-Forwarded-For rather than Forwarded',
      { for: '192.0.2.1', forwarded: 'for=6.6.6.6' },
      { remoteAddress: '192.0.2.1', remotePort: '' },
    ],
    ['X-Forwarded-Proto rather than Forwarded', { proto: 'https', forwarded: 'for=6.6.6.6;host=x' }, https],
  ] as Array<[string, Partial<ForwardingFields>, Partial<PeerFacts>]>) {
    it(`may be ${what}: ${JSON.stringify(fields)}`, () => {
      expect(changes(fields)).to.deep.equal(changed);
    });
  }

  it('moves the port to that of Host, which the client connected to', () => {
    expect(factsOf({ proto: 'https' }, 'app.example:8443').serverPort).to.equal('8443');
    expect(factsOf({ for: '192.0.2.1' }, 'app.example:8443').serverPort).to.equal('8080');
    expect(factsOf({ proto: 'https' }).serverPort).to.equal('443');
  });

  it('may take https away: the client was not on TLS, the proxy was', () => {
    const facts = factsOf({ proto: 'http' }, 'app.example', { ...peer, scheme: 'https', serverPort: '8443' });
    expect([facts.scheme, facts.serverPort]).to.deep.equal(['http', '80']);
  });

  it('is not followed for ever', () => {
    const hops = Array.from({ length: 5000 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    expect(factsOf({ for: hops.join(',') }).remoteAddress).to.equal(hops.at(-32));
    expect(factsOf({ forwarded: hops.map((hop) => `for=${hop}`).join(',') }).remoteAddress).to.equal(hops.at(-32));
  });

  it('never makes a throw, whatever it is, nor anything that is no host or scheme', () => {
    const pieces = [
      'for',
      'proto=https',
      '=',
      '"',
      '\\',
      ',',
      ';',
      ' ',
      '1.2.3.4',
      '10.0.0.1',
      '[::1]',
      ':80',
      'a.b',
      '\xff',
    ];
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(...pieces)).map((all) => all.join('')),
    );
    const field = fc.option(text, { nil: undefined });
    fc.assert(
      fc.property(
        fc.record({ forwarded: field, for: field, proto: field, host: field, port: field }),
        text,
        (fields, host) => {
          const facts = factsOf(fields, host);
          expect(facts.scheme).to.be.oneOf(['http', 'https']);
          expect(facts.serverPort).to.match(/^\d{1,5}$/);
          expect(facts.remotePort).to.match(/^\d{0,5}$/);
          if (facts.host !== undefined) expect(facts.host).to.match(/^[!-~]+$/);
          expect(facts.remoteAddress).to.match(/^[\w.:-]+$/);
        },
      ),
    );
  });
});
