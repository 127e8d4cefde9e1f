import { join } from 'node:path';
import { expect } from 'chai';
import type { App, Body, Environ, StartResponse } from '../../src/index.ts';
import { tempFolder } from '../helpers/files.ts';
import { header, text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { deferred, get, scenario, withServer } from '../worker/helpers/with-server.ts';

const boom = new Error('boom');
const ok = (startResponse: StartResponse, headers: Array<[string, string]> = []) => startResponse('200 OK', headers);

/** Fails on /bad, answers everything else. */
const sometimes =
  (bad: App): App =>
  (env, startResponse) => {
    if (env.PATH_INFO === '/bad') return bad(env, startResponse);
    ok(startResponse);
    return ['good'];
  };

function boomed(): never {
  throw boom;
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

interface Failing {
  name: string;
  app: App;
  code: string;
}
const before: Failing[] = [
  {
    name: 'throws',
    app: () => {
      throw boom;
    },
    code: 'APP_FAILED',
  },
  { name: 'rejects', app: async () => Promise.reject(boom), code: 'APP_FAILED' },
  {
    name: 'throws after startResponse',
    app: (_env, start) => {
      ok(start);
      throw boom;
    },
    code: 'APP_FAILED',
  },
  {
    name: 'throws something that is no Error',
    app: () => {
      // oxlint-disable-next-line no-throw-literal typescript/only-throw-error -- what applications do
      throw 'text';
    },
    code: 'APP_FAILED',
  },
  ...[
    ['an object without a prototype', () => Object.create(null) as object],
    ['an object that is no string', () => ({ toString: boomed })],
    ['a Proxy that was revoked', revoked],
    ['an Error whose message throws', () => Object.defineProperty(new Error('x'), 'message', { get: boomed })],
    ['an Error whose stack throws', () => Object.defineProperty(new Error('x'), 'stack', { get: boomed })],
    ['an Error whose message is none', () => Object.assign(new Error('x'), { message: Symbol('x') })],
    ['a symbol', () => Symbol('x')],
  ].map(([what, make]) => ({
    name: `throws ${what as string}`,
    app: () => {
      throw (make as () => unknown)();
    },
    code: 'APP_FAILED',
  })),
  { name: 'never calls startResponse', app: () => ['x'], code: 'APP_NO_START' },
  { name: 'never calls startResponse in an iterator', app: () => new Set(['x']), code: 'APP_NO_START' },
  { name: 'never calls startResponse in an empty iterator', app: () => new Set<string>(), code: 'APP_NO_START' },
  {
    name: 'calls startResponse twice',
    app: (_env, start) => {
      ok(start);
      ok(start);
      return ['x'];
    },
    code: 'APP_STARTED_TWICE',
  },
  {
    name: 'gives a status that is none',
    app: (_env, start) => {
      start('OK', []);
      return ['x'];
    },
    code: 'APP_BAD_STATUS',
  },
  {
    name: 'gives a status that ends the line',
    app: (_env, start) => {
      start('200 OK\r\nA: b', []);
      return ['x'];
    },
    code: 'APP_BAD_STATUS',
  },
  {
    name: 'gives an interim status',
    app: (_env, start) => {
      start('100 Continue', []);
      return ['x'];
    },
    code: 'APP_BAD_STATUS',
  },
  {
    name: 'gives a header that ends the line',
    app: (_env, start) => {
      ok(start, [['A', 'b\r\nSet-Cookie: c']]);
      return ['x'];
    },
    code: 'APP_BAD_HEADER',
  },
  {
    name: 'gives a header that is not latin-1',
    app: (_env, start) => {
      ok(start, [['A', '€']]);
      return ['x'];
    },
    code: 'APP_BAD_HEADER',
  },
  {
    name: 'gives two lengths',
    app: (_env, start) => {
      ok(start, [
        ['Content-Length', '1'],
        ['Content-Length', '2'],
      ]);
      return ['x'];
    },
    code: 'APP_BAD_HEADER',
  },
  {
    name: 'gives no headers',
    app: (_env, start) => {
      start('200 OK', undefined as unknown as []);
      return ['x'];
    },
    code: 'APP_BAD_HEADER',
  },
  ...[null, undefined, 5, {}, () => 'x', true].map((body): Failing => ({
    name: `returns ${body === null ? 'null' : typeof body}`,
    app: (_env, start) => {
      ok(start);
      return body as Body;
    },
    code: 'APP_BAD_BODY',
  })),
  {
    name: 'returns an array with a number',
    app: (_env, start) => {
      ok(start);
      return ['x', 5] as unknown as string[];
    },
    code: 'APP_BAD_BODY',
  },
  {
    name: 'yields a number first',
    app: (_env, start) => {
      ok(start);
      return new Set([5]) as unknown as Set<string>;
    },
    code: 'APP_BAD_BODY',
  },
];

describe('an application that fails before anything was sent', () => {
  for (const { name, app, code } of before) {
    it(
      `answers 500 when it ${name}, and harms no other request`,
      withServer(sometimes(app), {}, async ({ connect, logged }) => {
        const client = await connect();
        const response = await client.request(get('/bad'));
        expect(response.status).to.equal(500);
        expect(text(response)).to.equal('Internal Server Error\n');
        expect(response.headers.map(([key]) => key)).to.have.members(['Content-Type', 'Date', 'Content-Length']);
        expect(logged('app.failed').map((line) => [line.code, line.request])).to.deep.equal([[code, 'GET /bad']]);
        expect(text(await client.request(get()))).to.equal('good');
      }),
    );
  }

  it(
    'shows nothing of its error, unless debug is on',
    withServer(
      () => {
        throw boom;
      },
      {},
      async ({ connect }) => {
        expect((await (await connect()).request(get())).body.toString()).to.not.include('boom');
      },
    ),
  );

  it(
    'shows its stack trace when debug is on',
    withServer(
      () => {
        throw boom;
      },
      { debug: true },
      async ({ connect }) => {
        const body = text(await (await connect()).request(get()));
        expect(body).to.include('Error: boom').and.include('application-errors.test');
      },
    ),
  );

  it(
    'answers HEAD without a body',
    withServer(
      () => {
        throw boom;
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        for (let times = 0; times < 2; times += 1) {
          const response = await client.request(get('/', '', 'HEAD'), 'HEAD');
          expect([response.status, header(response, 'content-length')]).to.deep.equal([500, '22']);
        }
      },
    ),
  );

  it(
    'may begin anew with excInfo',
    withServer(
      (_env, startResponse) => {
        ok(startResponse, [['A', 'b']]);
        startResponse('503 Busy', [['C', 'd']], boom);
        return ['sorry'];
      },
      {},
      async ({ connect }) => {
        const response = await (await connect()).request(get());
        expect([response.status, text(response), header(response, 'a'), header(response, 'c')]).to.deep.equal([
          503,
          'sorry',
          undefined,
          'd',
        ]);
      },
    ),
  );

  it(
    'may give excInfo with the first head',
    withServer(
      (_env, startResponse) => {
        startResponse('500 Sorry', [], boom);
        return ['sorry'];
      },
      {},
      async ({ connect }) => {
        expect(text(await (await connect()).request(get()))).to.equal('sorry');
      },
    ),
  );
});

const after: Failing[] = [
  {
    name: 'throws in its iterator',
    app: (_env, start) => {
      ok(start);
      return (function* () {
        yield 'part';
        throw boom;
      })();
    },
    code: 'APP_FAILED',
  },
  {
    name: 'throws in its async iterator',
    app: (_env, start) => {
      ok(start);
      return (async function* () {
        yield 'part';
        throw boom;
      })();
    },
    code: 'APP_FAILED',
  },
  {
    name: 'throws after write()',
    app: (_env, start) => {
      void ok(start)('part');
      throw boom;
    },
    code: 'APP_FAILED',
  },
  {
    name: 'rejects after write()',
    app: async (_env, start) => {
      await ok(start)('part');
      throw boom;
    },
    code: 'APP_FAILED',
  },
  {
    name: 'yields a number',
    app: (_env, start) => {
      ok(start);
      return new Set(['part', 5]) as unknown as Set<string>;
    },
    code: 'APP_BAD_BODY',
  },
  {
    name: 'calls startResponse again',
    app: (_env, start) => {
      void ok(start)('part');
      ok(start);
      return [];
    },
    code: 'APP_STARTED_TWICE',
  },
  {
    name: 'calls startResponse again with excInfo',
    app: (_env, start) => {
      void ok(start)('part');
      start('500 Sorry', [], boom);
      return [];
    },
    code: 'APP_FAILED',
  },
];

describe('an application that fails after its response has begun', () => {
  for (const { name, app, code } of after) {
    it(
      `cuts the response visibly when it ${name}`,
      withServer(app, {}, async ({ connect, logged }) => {
        const client = await connect();
        client.send(get() + get('/next'));
        await client.closed();
        expect(client.received).to.match(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n4\r\npart\r\n$/);
        expect(client.reader.responses).to.deep.equal([]);
        expect(logged('app.failed').map((line) => line.code)).to.deep.equal([code]);
      }),
    );
  }

  const http10: App = (_env, start) => {
    ok(start);
    return (async function* () {
      yield 'part';
      await new Promise((resolve) => setImmediate(resolve));
      throw boom;
    })();
  };
  const post10 = 'POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx';

  it('resets an HTTP/1.0 connection, whose end would look like that of the response', async () => {
    // A client on libuv takes a reset that comes along with data for a FIN: it must have read these first.
    const gate = deferred();
    const app: App = (_env, start) => {
      ok(start);
      return (async function* () {
        yield 'part';
        await gate.promise;
        throw boom;
      })();
    };
    await withServer(app, {}, async ({ connect }) => {
      const client = await connect();
      client.send(post10);
      await waitFor('the part', () => client.received.endsWith('part'));
      gate.resolve();
      expect(await client.closed()).to.equal('reset');
      expect(client.reader.responses).to.deep.equal([]);
    })();
  });

  it(
    'ends an HTTP/1.0 connection that knows no reset: TLS',
    withServer(http10, { tls: true }, async ({ connect, rest }) => {
      const client = await connect();
      client.send(post10);
      await client.closed();
      await rest();
    }),
  );

  it('ends an HTTP/1.0 connection that knows no reset: a unix socket', async () => {
    const at = join(await tempFolder(), 'socket');
    await withServer(http10, { at }, async ({ connect, rest }) => {
      const client = await connect();
      client.send(post10);
      await client.closed();
      await rest();
    })();
  });

  it(
    'serves on when HTTP/1.0 fails at once with a body and a further request behind it',
    withServer(
      (_env, start) => {
        void ok(start)('part');
        throw boom;
      },
      {},
      async ({ connect, server }) => {
        const client = await connect();
        client.send(
          'POST / HTTP/1.0\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\nxGET / HTTP/1.1\r\nHost: a\r\n\r\n',
        );
        await client.closed();
        expect(server.counters.requests).to.equal(1);
        expect((await connect()).ending).to.equal(undefined);
      },
    ),
  );

  it(
    'runs hooks with the outcome failed without waiting for the client to leave',
    scenario(() => {
      const reports: Array<Environ['evy.response']> = [];
      const app: App = (env, start) => {
        env['evy.posthooks'].push([(given) => reports.push(given['evy.response'])]);
        ok(start);
        return (function* () {
          yield 'part';
          throw boom;
        })();
      };
      return withServer(app, {}, async ({ connect }) => {
        const client = await connect();
        client.send(get());
        await client.closed();
        await waitFor('the hook', () => reports.length > 0);
        expect(reports).to.have.lengthOf(1);
        expect(reports[0]).to.include({
          status: 200,
          completed: false,
          outcome: 'failed',
          bytesSent: client.bytesReceived,
        });
      });
    }),
  );
});
