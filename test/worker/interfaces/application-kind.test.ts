import { expect } from 'chai';
import express from 'express';
import { Hono } from 'hono';
import type { InterfaceName } from '../../../src/shared/application.ts';
import {
  asApplication,
  describeExport,
  detectInterface,
  interfaceHint,
} from '../../../src/worker/interfaces/application-kind.ts';

class Koa {
  listener = (): void => {};
  use(): this {
    return this;
  }
  callback(): () => void {
    return this.listener;
  }
}

describe('application kind', () => {
  it('is seen from the export', () => {
    const expectKind = (value: unknown, kind: InterfaceName | undefined, why: string) =>
      expect(detectInterface(value)?.interface, why).to.equal(kind);
    expectKind((_env: unknown, _start: unknown) => [], 'wsgi', 'a function of two');
    expectKind((_request: unknown, _response: unknown) => {}, 'node', 'another function of two');
    expectKind(() => [], 'wsgi', 'a function of none');
    expectKind({ fetch: () => new Response() }, 'fetch', 'an object with fetch');
    expectKind(new Hono(), 'fetch', 'Hono');
    expectKind(
      Object.assign(() => [], { fetch: () => new Response() }),
      'fetch',
      'a function with fetch',
    );
    expectKind(express(), 'node', 'Express');
    expectKind((_request: unknown, _response: unknown, _next: unknown) => {}, 'node', 'connect middleware');
    expectKind(new Koa(), 'node', 'Koa');
    expectKind(class {}, undefined, 'a class');
    for (const other of [undefined, null, 1, 'text', {}, [], { fetch: 'no function' }])
      expectKind(other, undefined, describeExport(other));
  });

  it('is taken as asked for', () => {
    const listener = (_request: unknown, _response: unknown): void => {};
    expect(asApplication(listener, 'node', 'app')).to.deep.equal({ interface: 'node', app: listener });
    expect(asApplication(listener, 'auto', 'app')).to.deep.equal({ interface: 'node', app: listener });
    const minified = (_e: unknown, _t: unknown): void => {};
    expect(asApplication(minified, 'auto', 'app')).to.deep.equal({ interface: 'node', app: minified, isGuess: true });
    const answer = (): Response => new Response();
    const wrapped = asApplication(answer, 'fetch', 'app');
    expect(wrapped.interface === 'fetch' && wrapped.app.fetch).to.equal(answer);
    const koa = new Koa();
    expect(asApplication(koa, 'auto', 'app')).to.deep.equal({ interface: 'node', app: koa.listener });
    const app = express();
    expect(asApplication(app, 'wsgi', 'app'), 'who insists is believed').to.deep.equal({ interface: 'wsgi', app });
  });

  it('refuses what is none, and says what it is', () => {
    const refused = (value: unknown, kind: InterfaceName | 'auto', message: string) =>
      expect(() => asApplication(value, kind, '/srv/app.js:default'))
        .to.throw(message)
        .with.property('code', 'APP_NOT_CALLABLE');
    refused(
      { a: 1 },
      'auto',
      '/srv/app.js:default is an object with a; with --interface auto it must be a function (env, startResponse) or (request, response), an object',
    );
    refused('text', 'wsgi', 'is a string; with --interface wsgi it must be a function (env, startResponse)');
    refused({ fetch: () => {} }, 'wsgi', 'is an object with fetch');
    refused({}, 'fetch', 'is an empty object; with --interface fetch it must be');
    refused(class App {}, 'auto', 'is a class (export an instance of it)');
    refused(undefined, 'node', 'is undefined; with --interface node it must be');
  });

  it('is shown by how an application fails that was taken for another one', () => {
    const hint = (kind: 'wsgi' | 'node', app: (one: unknown, two: never) => unknown) => {
      try {
        app({}, (kind === 'wsgi' ? () => {} : {}) as never);
      } catch (error) {
        return interfaceHint(kind, app, error as Error);
      }
      throw new Error('it did not fail');
    };
    const listener = (_a: unknown, b: { end(text: string): void }): void => b.end('x');
    expect(hint('wsgi', listener)).to.contain('--interface node');
    const application = (_a: unknown, b: (status: string) => void): void => b('200 OK');
    expect(hint('node', application)).to.contain('--interface wsgi');
    const wrapped = (...args: never[]): unknown => args.length;
    expect(interfaceHint('wsgi', wrapped, new TypeError('res.end is not a function'))).to.contain('--interface node');
    expect(interfaceHint('node', wrapped, new TypeError('startResponse is not a function'))).to.contain(
      '--interface wsgi',
    );
    for (const text of ['pool.end is not a function', 'handler is not a function', 'out of luck']) {
      expect(interfaceHint('wsgi', listener, new TypeError(text)), text).to.equal(undefined);
      expect(interfaceHint('node', application, new TypeError(text)), text).to.equal(undefined);
    }
  });

  it('describes a value in a few words', () => {
    expect(describeExport([])).to.equal('an array');
    expect(describeExport(() => {})).to.equal('a function');
    expect(describeExport(null)).to.equal('null');
    expect(describeExport({ a: 1, b: 1, c: 1, d: 1, e: 1, f: 1 })).to.equal('an object with a, b, c, d, e, ...');
  });
});
