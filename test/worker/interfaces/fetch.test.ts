import { expect } from 'chai';
import { Hono } from 'hono';
import type { Environ, FetchApp, FetchContext } from '../../../src/shared/application.ts';
import { fetchHandler } from '../../../src/worker/interfaces/fetch.ts';
import { Service } from '../../../src/worker/loop/service.ts';
import { collectGarbage } from '../../helpers/garbage.ts';
import { header, text } from '../../helpers/response-reader.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { withService, type WithService } from '../helpers/with-service.ts';
import { deferred, get, post, scenario } from '../helpers/with-server.ts';

type Fetch = FetchApp['fetch'];
const serve = (fetch: Fetch, test: (served: WithService) => Promise<void>) =>
  withService((parts) => new Service({ ...parts, handler: fetchHandler({ fetch }) }), {}, test);

describe('a fetch application', () => {
  it(
    'gets a Request of what the client asked for',
    scenario(() => {
      const seen: Array<[Request, FetchContext]> = [];
      return serve(
        (request, ctx) => {
          seen.push([request, ctx]);
          return new Response('ok');
        },
        async ({ connect, port }) => {
          const client = await connect();
          await client.request(get('/a%20b?c=d', 'X-One: 1\r\nx-one: 2\r\nCookie: a=b\r\n'));
          await client.request('DELETE http://b.example/x HTTP/1.1\r\nHost: a\r\n\r\n', 'DELETE');
          await client.request('GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n');
          const [first, second, third] = seen.map(([request]) => request);
          expect([first!.method, first!.url]).to.deep.equal(['GET', 'http://test/a%20b?c=d']);
          expect([first!.headers.get('x-one'), first!.headers.get('cookie')]).to.deep.equal(['1, 2', 'a=b']);
          expect([second!.method, second!.url]).to.deep.equal(['DELETE', 'http://b.example/x']);
          expect(third!.url).to.equal(`http://127.0.0.1:${port}/`);
          expect(seen[0]![1].env).to.include({
            'RAW_URI': '/a%20b?c=d',
            'REMOTE_ADDR': '127.0.0.1',
            'wsgi.multiprocess': true,
          });
        },
      );
    }),
  );

  it(
    'reads the body, whole or as a stream',
    serve(
      async (request) => {
        if (request.url.endsWith('/text')) return new Response(await request.text());
        return new Response(request.body);
      },
      async ({ connect }) => {
        const client = await connect();
        expect(text(await client.request(post('whole', '', '/text')))).to.equal('whole');
        expect(text(await client.request(post('streamed', '', '/stream')))).to.equal('streamed');
        expect(
          text(
            await client.request(
              'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
            ),
          ),
        ).to.equal('abc');
      },
    ),
  );

  it(
    'may leave the body unread',
    serve(
      () => new Response('no'),
      async ({ connect }) => {
        const client = await connect();
        client.send(post('x'.repeat(1000)) + post('y'.repeat(1000)));
        expect((await client.responses(2)).map(text)).to.deep.equal(['no', 'no']);
      },
    ),
  );

  it(
    'answers with status, reason and headers, several cookies each on a line',
    serve(
      () => {
        const headers = new Headers([
          ['X-A', '1'],
          ['Set-Cookie', 'a=1'],
          ['Set-Cookie', 'b=2'],
        ]);
        return new Response('teapot', { status: 418, statusText: 'Short And Stout', headers });
      },
      async ({ connect }) => {
        const response = await (await connect()).request(get());
        expect([response.status, response.reason, text(response), header(response, 'x-a')]).to.deep.equal([
          418,
          'Short And Stout',
          'teapot',
          '1',
        ]);
        expect(response.headers.filter(([name]) => name === 'Set-Cookie').map(([, value]) => value)).to.deep.equal([
          'a=1',
          'b=2',
        ]);
      },
    ),
  );

  it(
    'may answer without a body',
    serve(
      (request) => new Response(null, { status: request.url.endsWith('/204') ? 204 : 200 }),
      async ({ connect }) => {
        const client = await connect();
        const empty = await client.request(get('/'));
        expect([header(empty, 'content-length'), empty.reason]).to.deep.equal(['0', 'OK']);
        expect(header(await client.request(get('/204')), 'content-length')).to.equal(undefined);
      },
    ),
  );

  it(
    'streams, and is held back by a slow client',
    scenario(() => {
      let pulls = 0;
      const piece = new Uint8Array(50_000);
      const stream = () =>
        new ReadableStream<Uint8Array>({
          pull(controller) {
            pulls += 1;
            if (pulls > 400) controller.close();
            else controller.enqueue(piece);
          },
        });
      return serve(
        () => new Response(stream()),
        async ({ connect }) => {
          const client = await connect();
          client.pause();
          client.send(get());
          let before = -1;
          await waitFor(
            'a standstill',
            () => {
              const stands = pulls > 0 && pulls === before;
              before = pulls;
              return stands;
            },
            { everyMs: 200 },
          );
          expect(pulls).to.be.below(300);
          client.resume();
          expect((await client.response()).body).to.have.lengthOf(400 * piece.length);
        },
      );
    }),
  );

  it(
    'is asked for no body by HEAD',
    scenario(() => {
      let cancelled = 0;
      const app: Fetch = () =>
        new Response(
          new ReadableStream({
            cancel: () => {
              cancelled += 1;
            },
          }),
          { headers: { 'Content-Length': '5' } },
        );
      return serve(app, async ({ connect }) => {
        const response = await (await connect()).request(get('/', '', 'HEAD'), 'HEAD');
        expect([response.body.length, header(response, 'content-length'), cancelled]).to.deep.equal([0, '5', 1]);
      });
    }),
  );

  it(
    'finds a backslash in the path as it was sent, not as a slash',
    serve(
      ({ url }) => new Response(url),
      async ({ connect }) => {
        const response = await (await connect()).request(get('/public\\..\\admin?a\\b'));
        expect(text(response)).to.match(/\/public%5C\.\.%5Cadmin\?a\\b$/);
      },
    ),
  );

  const failures: Array<[how: string, fetch: Fetch, code: string]> = [
    [
      'throws',
      () => {
        throw new Error('boom');
      },
      'APP_FAILED',
    ],
    ['rejects', async () => Promise.reject(new Error('boom')), 'APP_FAILED'],
    ['returns no Response', () => 'text' as unknown as Response, 'APP_BAD_BODY'],
    ['answers with an error', () => Response.error(), 'APP_BAD_STATUS'],
  ];
  for (const [how, fetch, code] of failures) {
    it(
      `answers 500 when it ${how}`,
      serve(fetch, async ({ connect, errors }) => {
        const client = await connect();
        expect((await client.request(get())).status).to.equal(500);
        expect((await client.request(get())).status).to.equal(500);
        expect(errors.map((line) => line.code)).to.deep.equal([code, code]);
      }),
    );
  }

  it(
    'whose stream fails has its response cut',
    serve(
      () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(new TextEncoder().encode('part'));
            },
            pull(controller) {
              controller.error(new Error('boom'));
            },
          }),
        ),
      async ({ connect, errors }) => {
        const client = await connect();
        client.send(get());
        await client.closed();
        expect(client.reader.responses).to.have.lengthOf(0);
        expect(errors).to.have.lengthOf(1);
      },
    ),
  );

  it(
    'is told when the client goes, and its stream is cancelled',
    scenario(() => {
      let cancelled = 0;
      let aborted = 0;
      const reports: Array<Environ['evy.response']> = [];
      const app: Fetch = (request, ctx) => {
        request.signal.addEventListener('abort', () => (aborted += 1));
        ctx.postHook((env: Environ) => reports.push(env['evy.response']));
        return new Response(
          new ReadableStream({
            pull: (controller) => controller.enqueue(new Uint8Array(10_000)),
            cancel: () => {
              cancelled += 1;
            },
          }),
        );
      };
      return serve(app, async ({ connect, rest }) => {
        const client = await connect();
        client.send(get());
        await client.bytes(100_000);
        client.abort();
        await rest();
        await waitFor('the cancelling', () => cancelled === 1);
        expect([aborted, reports.length]).to.deep.equal([1, 1]);
        expect(reports[0]).to.include({ completed: false, outcome: 'client-gone' });
      });
    }),
  );

  it(
    'is told when the client goes, though it holds on to nothing but the signal',
    scenario(() => {
      let asked = 0;
      let aborted = 0;
      const app: Fetch = (request) => {
        asked += 1;
        request.signal.addEventListener('abort', () => (aborted += 1));
        return new Promise<Response>(() => {});
      };
      return serve(app, async ({ connect, rest }) => {
        const client = await connect();
        client.send(get());
        await waitFor('the request', () => asked === 1);
        await collectGarbage();
        client.abort();
        await rest();
        expect(aborted).to.equal(1);
      });
    }),
  );

  it(
    'that answers after the client went has its stream cancelled, too',
    scenario(() => {
      let cancelled = 0;
      const started = deferred();
      const gate = deferred();
      const app: Fetch = async () => {
        started.resolve();
        await gate.promise;
        return new Response(
          new ReadableStream({
            cancel: () => {
              cancelled += 1;
            },
          }),
        );
      };
      return serve(app, async ({ connect, rest }) => {
        const client = await connect();
        client.send(get());
        await started.promise;
        client.abort();
        await rest();
        gate.resolve();
        await waitFor('the cancelling', () => cancelled === 1);
      });
    }),
  );

  it(
    'has post hooks with arguments, and promises that the process waits for',
    scenario(() => {
      const calls: unknown[][] = [];
      const gate = deferred();
      const app: Fetch = (_request, ctx) => {
        ctx.postHook((...args) => calls.push(args.slice(1)), ['a', 'b'], { c: 1 });
        ctx.postHook((...args) => calls.push(args.slice(1)));
        ctx.waitUntil(gate.promise);
        ctx.waitUntil(Promise.reject(new Error('late')));
        return new Response('ok');
      };
      return serve(app, async ({ connect, serving, errors }) => {
        await (await connect()).request(get('/x'));
        await waitFor('the hooks', () => calls.length === 2);
        expect(calls).to.deep.equal([['a', 'b', { c: 1 }], []]);
        await waitFor('the rejection', () => errors.length === 1);
        expect(errors[0]).to.include({ event: 'hook.failed', error: 'late', request: 'GET /x' });
        expect(serving.stats.pendingHooks).to.equal(1);
        gate.resolve();
      });
    }),
  );

  it(
    'is not asked for methods that a Request cannot have, nor for hosts that no URL can',
    scenario(() => {
      let calls = 0;
      return serve(
        () => {
          calls += 1;
          return new Response('ok');
        },
        async ({ connect, errors }) => {
          const client = await connect();
          expect((await client.request(get('/', '', 'TRACE'), 'TRACE')).status).to.equal(501);
          expect((await client.request('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n', 'CONNECT')).status).to.equal(501);
          for (const host of ['1.2.3.4.5', 'a%00', 'a:99999']) {
            const other = await connect();
            expect((await other.request(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`)).status, host).to.equal(400);
          }
          expect([calls, errors]).to.deep.equal([0, []]);
        },
      );
    }),
  );

  it(
    'may be one of Hono',
    scenario(() => {
      const app = new Hono();
      app.get('/hello/:name', (c) => c.text(`Hello, ${c.req.param('name')}!`));
      app.post('/json', async (c) => c.json(await c.req.json()));
      return serve(
        (request) => app.fetch(request),
        async ({ connect }) => {
          const client = await connect();
          expect(text(await client.request(get('/hello/evy')))).to.equal('Hello, evy!');
          expect(text(await client.request(post('{"a":1}', 'Content-Type: application/json\r\n', '/json')))).to.equal(
            '{"a":1}',
          );
          expect((await client.request(get('/nowhere'))).status).to.equal(404);
        },
      );
    }),
  );
});
