import { expect } from 'chai';
import { Admission, AllowedHosts } from '../../../src/worker/request/admission.ts';
import { RequestParser } from '../../../src/worker/http/request-parser.ts';
import { resolveServerInput } from '../../../src/shared/options/input.ts';
import type { ServerOptionsInput } from '../../../src/shared/options/table.ts';
import type { PeerFacts } from '../../../src/worker/transport/peer.ts';
import { trustedProxiesOf } from '../../../src/worker/proxies/forwarding.ts';
import { bytesOf, defaultLimits } from '../helpers/parse.ts';

const faultOf = (head: string, scheme: 'http' | 'https' = 'http', options: ServerOptionsInput = {}) => {
  const parser = new RequestParser(defaultLimits);
  parser.push(bytesOf(`${head}\r\n\r\n`));
  expect(parser.next()).to.equal('head');
  const settings = resolveServerInput(options);
  const peer: PeerFacts = { ...aPeer, scheme };
  const sender = { peer, forwarding: trustedProxiesOf(settings)?.connection(peer) };
  return new Admission(settings).faultOf(parser.line, parser.block, sender);
};
const aPeer = {
  serverName: '127.0.0.1',
  serverPort: '80',
  remoteAddress: '127.0.0.1',
  remotePort: '1',
  host: undefined,
};
const get = (target: string, host = 'a.example') => `GET ${target} HTTP/1.1\r\nHost: ${host}`;

describe('Admission', () => {
  it('takes a target of the scheme of its connection alone', () => {
    for (const scheme of ['http', 'https'] as const) {
      const other = scheme === 'http' ? 'https' : 'http';
      for (const target of ['/', '/https://a/', `${scheme}://a/`, `${scheme.toUpperCase()}://a`]) {
        expect(faultOf(get(target), scheme), target).to.equal(undefined);
      }
      expect(faultOf(get(`${other}://a/`), scheme)).to.equal('WRONG_SCHEME');
      expect(faultOf(get(`${other.toUpperCase()}://a/`), scheme)).to.equal('WRONG_SCHEME');
      expect(faultOf('OPTIONS * HTTP/1.1\r\nHost: a', scheme)).to.equal(undefined);
      expect(faultOf('CONNECT https:443 HTTP/1.1\r\nHost: a', scheme)).to.equal(undefined);
    }
  });

  it('needs the length of a body when the server speaks HTTP/1.0', () => {
    const chunked = `${get('/')}\r\nTransfer-Encoding: chunked`;
    expect(faultOf(chunked)).to.equal(undefined);
    expect(faultOf(chunked, 'http', { maxHttpVersion: 'HTTP/1.0' })).to.equal('LENGTH_REQUIRED');
    expect(faultOf(`${get('/')}\r\nContent-Length: 1`, 'http', { maxHttpVersion: 'HTTP/1.0' })).to.equal(undefined);
  });

  it('takes any host unless some are named, and then both the target and Host have to be one', () => {
    const allowedHosts = ['a.example', '.b.example'];
    const faults = (target: string, host: string) => faultOf(get(target, host), 'http', { allowedHosts });
    expect(faultOf(get('/', 'other'))).to.equal(undefined);
    expect(faults('/', 'a.example')).to.equal(undefined);
    expect(faults('/', 'other')).to.equal('WRONG_HOST');
    expect(faults('http://x.b.example/', 'a.example')).to.equal(undefined);
    expect(faults('http://other/', 'a.example')).to.equal('WRONG_HOST');
    expect(faults('http://a.example/', 'other')).to.equal('WRONG_HOST');
    expect(faultOf('CONNECT other:443 HTTP/1.1\r\nHost: a.example', 'http', { allowedHosts })).to.equal('WRONG_HOST');
    expect(faultOf('GET / HTTP/1.0', 'http', { allowedHosts })).to.equal(undefined);
  });
});

describe('Admission of what a trusted proxy sends', () => {
  const trusted = { trustedProxies: ['loopback'], trustedHeaders: ['x-forwarded-host'] };

  it('takes targets of either scheme: its own connection tells nothing of the client', () => {
    expect(faultOf(get('https://a/'), 'http', trusted)).to.equal(undefined);
    expect(faultOf(get('https://a/'), 'http', { trustedProxies: ['192.0.2.1'] })).to.equal('WRONG_SCHEME');
  });

  it('takes the host that it tells for the one asked for', () => {
    const faults = (host: string, told: string, options: ServerOptionsInput) =>
      faultOf(`${get('/', host)}\r\nX-Forwarded-Host: ${told}`, 'http', { allowedHosts: ['a.example'], ...options });
    expect(faults('backend:8000', 'a.example', trusted)).to.equal(undefined);
    expect(faults('a.example', 'other', trusted)).to.equal('WRONG_HOST');
    expect(faults('a.example', 'other', {})).to.equal(undefined);
    expect(faults('other', 'a.example', {})).to.equal('WRONG_HOST');
  });
});

describe('AllowedHosts', () => {
  const hosts = new AllowedHosts(['a.example', '.b.example', '[::1]']);
  // Twice: the second time each is known.
  for (const time of ['the first time', 'again']) {
    it(`takes names in any case, with any port, ${time}`, () => {
      for (const host of [
        'a.example',
        'A.Example',
        'a.example:80',
        'a.example:',
        'a.example.',
        'a.example.:1',
        '[::1]',
        '[::1]:80',
      ]) {
        expect(hosts.allows(host), host).to.equal(true);
      }
      for (const host of ['b.example', 'x.b.example', 'x.y.B.example:1'])
        expect(hosts.allows(host), host).to.equal(true);
    });

    it(`takes nothing else, ${time}`, () => {
      for (const host of [
        '',
        'x.a.example',
        'a.example.com',
        'xa.example',
        'xb.example',
        '.b.example.evil',
        'example',
        '[::2]',
        ':80',
      ]) {
        expect(hosts.allows(host), host).to.equal(false);
      }
    });
  }

  it('goes on when more spellings came than it remembers', () => {
    const many = new AllowedHosts(['.a']);
    for (let index = 0; index < 3000; index += 1) expect(many.allows(`h${index}.a`)).to.equal(true);
    expect(many.allows('h2999.a')).to.equal(true);
    expect(many.allows('h2999.b')).to.equal(false);
  });

  it('is an option of names alone', () => {
    expect(resolveServerInput({ allowedHosts: ['A.example', '.b.example', '[::1]'] }).allowedHosts).to.deep.equal([
      'a.example',
      '.b.example',
      '[::1]',
    ]);
    for (const name of ['a.example:80', 'http://a', 'a/b', '', '*.a', 'a..b', '.', '-1', 'a.-b']) {
      expect(() => resolveServerInput({ allowedHosts: [name] }), name).to.throw(/host names without a port/);
    }
  });
});
