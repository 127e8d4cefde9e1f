import { expect } from 'chai';
import { pathOf, routeOf } from '../../../src/shared/protocol/route.ts';

describe('the path of a target', () => {
  const cases: Array<[target: string, path: string]> = [
    ['/', '/'],
    ['/a/b', '/a/b'],
    ['/a?b=/c', '/a'],
    ['/?', '/'],
    ['http://example.com', '/'],
    ['http://example.com?a', '/'],
    ['HTTPS://example.com:80/a/b?c', '/a/b'],
    ['/http://example.com/a', '/http://example.com/a'],
    ['*', '*'],
    ['example.com:443', 'example.com:443'],
  ];
  for (const [target, path] of cases) it(`${target}: ${path}`, () => expect(pathOf(target)).to.equal(path));
});

describe('the route of a request', () => {
  const cases: Array<[target: string, path: string]> = [
    ['/', '/'],
    ['/users', '/users'],
    ['/users/42', '/users/:id'],
    ['/users/42/posts/7?page=2', '/users/:id/posts/:id'],
    ['/users/42/', '/users/:id/'],
    ['/jobs/3f2504e0-4f89-11d3-9a0c-0305e82c3301/log', '/jobs/:id/log'],
    ['/jobs/3F2504E0-4F89-11D3-9A0C-0305E82C3301', '/jobs/:id'],
    ['/files/da39a3ee5e6b4b0d3255bfef95601890afd80709', '/files/:id'],
    ['/files/507f1f77bcf86cd799439011', '/files/:id'],
    ['/v2/users', '/v2/users'],
    ['/added/facade', '/added/facade'],
    ['/a-42', '/a-42'],
    ['http://example.com/users/42', '/users/:id'],
  ];
  for (const [target, path] of cases) {
    it(`${target}: ${path}`, () => expect(routeOf('GET', target)).to.equal(`GET ${path}`));
  }

  it('is of one method', () => expect(routeOf('POST', '/a')).to.equal('POST /a'));
  it('has an end', () => expect(routeOf('GET', `/${'a'.repeat(5000)}`).length).to.be.below(300));
});
