import { expect } from 'chai';
import { parseAddress, urlOf } from './addresses.ts';

describe('parseAddress', () => {
  const cases: [string, object, string | undefined][] = [
    ['127.0.0.1:8080', { tls: false, host: '127.0.0.1', port: 8080 }, 'http://127.0.0.1:8080'],
    ['tls:localhost:8443', { tls: true, host: 'localhost', port: 8443 }, 'https://localhost:8443'],
    ['[::1]:80', { tls: false, host: '::1', port: 80 }, 'http://[::1]:80'],
    ['unix:/run/evy.sock', { tls: false, path: '/run/evy.sock' }, undefined],
    ['tls:unix:/run/evy.sock', { tls: true, path: '/run/evy.sock' }, undefined],
  ];
  for (const [text, address, url] of cases) {
    it(`reads ${text}`, () => {
      expect(parseAddress(text)).to.deep.equal(address);
      if (url) expect(urlOf(parseAddress(text))).to.equal(url);
    });
  }
  it('refuses what is none', () => {
    expect(() => parseAddress('8080')).to.throw('not an address: 8080');
  });
});
