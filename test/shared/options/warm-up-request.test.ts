import { expect } from 'chai';
import { resolveInput } from '../../../src/shared/options/input.ts';
import { parseWarmUpRequest } from '../../../src/shared/options/warm-up-request.ts';

describe('a warm-up request', () => {
  it('is a method and a path', () => {
    expect(parseWarmUpRequest('GET:/')).to.deep.equal({ method: 'GET', path: '/' });
    expect(parseWarmUpRequest('POST:/a/b?c=d&e=%20')).to.deep.equal({ method: 'POST', path: '/a/b?c=d&e=%20' });
    expect(parseWarmUpRequest('X-ray:/:80')).to.deep.equal({ method: 'X-ray', path: '/:80' });
  });

  for (const wrong of [
    '',
    '/',
    'GET',
    'GET /',
    'GET:',
    'GET:path',
    'GET:/a b',
    'GET:/ä',
    'GET:/#there',
    'GET:/\r\nX: y',
    'GE T:/',
    'CONNECT:/',
  ]) {
    it(`is not ${JSON.stringify(wrong)}`, () => {
      expect(parseWarmUpRequest(wrong)).to.equal(undefined);
      expect(() => resolveInput({ app: 'a', warmup: ['GET:/', wrong] }))
        .to.throw('must be a request such as GET:/health')
        .and.to.include({ code: 'BAD_OPTION' });
    });
  }
});
