import { expect } from 'chai';
import * as fc from 'fast-check';
import { decodePath } from '../../../src/worker/request/environ.ts';

describe('decodePath', () => {
  const cases: Array<[raw: string, decoded: string]> = [
    ['/plain', '/plain'],
    ['/a%20b+c', '/a b+c'],
    ['/%2Fa%2fb', '//a/b'],
    ['/%C3%A4%e2%82%ac', '/ä€'],
    ['/%F0%9F%98%80', '/😀'],
    ['/%C3', '/\ufffd'],
    ['/%C3%28', '/\ufffd('],
    ['/%FF%FE', '/\ufffd\ufffd'],
    ['/%ED%A0%80', '/\ufffd\ufffd\ufffd'],
    ['/%C3%A4/%FF/%C3%A4', '/ä/\ufffd/ä'],
    ['/%', '/%'],
    ['/%4', '/%4'],
    ['/%zz%41', '/%zzA'],
    ['/%00', '/\0'],
    ['*', '*'],
    ['', ''],
  ];
  for (const [raw, decoded] of cases) {
    it(`makes ${JSON.stringify(decoded)} of ${raw || 'nothing'}`, () => {
      expect(decodePath(raw)).to.equal(decoded);
    });
  }

  it('gives back what encodeURIComponent has made, and never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        expect(decodePath(encodeURIComponent(text))).to.equal(text);
        expect(decodePath(text)).to.be.a('string');
      }),
      { seed: 3986, numRuns: 1000 },
    );
  });
});
