import type { IncomingMessage, ServerResponse } from 'node:http';
import { expect } from 'chai';
import express from 'express';
import type { Environ } from '../../../src/shared/application.ts';
import { NodeService } from '../../../src/worker/interfaces/node.ts';
import { postHook } from '../../../src/worker/interfaces/node-requests.ts';
import { text, header } from '../../helpers/response-reader.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { withService, type WithService } from '../helpers/with-service.ts';
import { deferred, get, post, scenario } from '../helpers/with-server.ts';
import type { ServerOptionsInput } from '../../../src/shared/options/table.ts';

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;
const serve = (listener: Listener, test: (served: WithService) => Promise<void>, options: ServerOptionsInput = {}) =>
  withService((parts) => new NodeService({ ...parts, listener }), options, test);

describe('a node listener', () => {
  it(
    'answers on a connection that is kept',
    serve(
      (request, response) => response.end(request.url),
      async ({ connect, serving }) => {
        const client = await connect();
        expect(text(await client.request(get('/a')))).to.equal('/a');
        expect(text(await client.request(get('/b')))).to.equal('/b');
        expect(serving.stats).to.include({ connections: 1, requests: 2 });
      },
    ),
  );

  it(
    'refuses a head that takes too long with 408',
    serve(
      (_request, response) => response.end('hello'),
      async ({ connect }) => {
        const client = await connect();
        client.send('GET / HTTP/1.1\r\nHo');
        expect((await client.response()).status).to.equal(408);
        await client.closed();
      },
      { headTimeout: '100ms' },
    ),
  );

  it(
    'loses a client that sends no more of its body for socketTimeout',
    serve(
      (request, response) => request.on('end', () => response.end()).resume(),
      async ({ connect }) => {
        const client = await connect();
        client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab');
        await client.closed();
        expect(client.received).to.equal('');
      },
      { socketTimeout: '100ms' },
    ),
  );

  it(
    'loses a client that takes no more of its answer for socketTimeout',
    serve(
      (_request, response) => response.end(Buffer.alloc(20_000_000)),
      async ({ connect, cuts, serving }) => {
        const client = await connect();
        client.pause();
        client.send(get());
        await waitFor('the end', () => serving.stats.requests === 1 && serving.stats.connections === 0);
        expect(cuts).to.deep.equal([{ code: 'REQUEST_CUT', peer: '127.0.0.1' }]);
      },
      { socketTimeout: '100ms' },
    ),
  );

  it(
    'keeps an idle client for longer than a timer can be long',
    scenario(() => {
      const warnings: string[] = [];
      const onWarning = ({ name }: Error) => void warnings.push(name);
      process.on('warning', onWarning);
      onEnd(() => process.off('warning', onWarning));
      return serve(
        (_request, response) => response.end('hello'),
        async ({ connect }) => {
          const client = await connect();
          for (let count = 0; count < 2; count += 1) expect(text(await client.request(get()))).to.equal('hello');
          // A timer that has overflowed warns at the next turn, and is over after one millisecond.
          await new Promise((resolve) => setTimeout(resolve, 20));
          expect([client.ending, warnings]).to.deep.equal([undefined, []]);
        },
        { keepalive: '40d', socketTimeout: '40d' },
      );
    }),
  );

  it(
    'loses an idle client after keepalive',
    serve(
      (_request, response) => response.end('hello'),
      async ({ connect }) => {
        const client = await connect();
        await client.request(get());
        await client.closed();
      },
      { keepalive: '100ms' },
    ),
  );

  it(
    'may take longer than every time-out',
    serve(
      (_request, response) => void setTimeout(() => response.end('late'), 1000),
      async ({ connect }) => {
        expect(text(await (await connect()).request(get()))).to.equal('late');
      },
      { socketTimeout: '100ms', headTimeout: '100ms', keepalive: '100ms' },
    ),
  );

  it(
    'says that the connection ends with request maxRequestsPerConnection',
    serve(
      (request, response) => response.end(request.url),
      async ({ connect }) => {
        const client = await connect();
        expect(header(await client.request(get('/a')), 'connection')).to.equal('keep-alive');
        expect(header(await client.request(get('/b')), 'connection')).to.equal('close');
        expect(await client.closed()).to.equal('fin');
      },
      { maxRequestsPerConnection: 2 },
    ),
  );

  it(
    'has post hooks, with the environment and what was sent',
    scenario(() => {
      const calls: Array<[Environ, unknown[]]> = [];
      return serve(
        (_request, response) => {
          postHook(response, (env, ...rest) => calls.push([env, rest]), ['a'], { b: 1 });
          postHook(response, (env, ...rest) => calls.push([env, rest]));
          response.end('hello');
        },
        async ({ connect, accessLines }) => {
          const client = await connect();
          await client.request(get('/x?y', 'X-One: 1\r\n'));
          await waitFor('the hooks', () => calls.length === 2);
          expect(calls.map(([, rest]) => rest)).to.deep.equal([['a', { b: 1 }], []]);
          const [env] = calls[0]!;
          expect(env).to.include({
            REQUEST_METHOD: 'GET',
            PATH_INFO: '/x',
            QUERY_STRING: 'y',
            HTTP_X_ONE: '1',
            REMOTE_ADDR: '127.0.0.1',
          });
          expect(env['evy.response']).to.include({
            status: 200,
            completed: true,
            outcome: 'sent',
            bytesSent: client.bytesReceived,
          });
          await waitFor('the access line', () => accessLines.length > 0);
          expect(accessLines).to.have.lengthOf(1);
          expect(accessLines[0]).to.include('"GET /x?y HTTP/1.1" 200 ');
        },
      );
    }),
  );

  it(
    'has post hooks run once when the client goes',
    scenario(() => {
      const reports: Array<Environ['evy.response']> = [];
      const started = deferred();
      return serve(
        (_request, response) => {
          postHook(response, (env: Environ) => reports.push(env['evy.response']));
          started.resolve();
        },
        async ({ connect, rest }) => {
          const client = await connect();
          client.send(get());
          await started.promise;
          client.abort();
          await rest();
          expect(reports).to.have.lengthOf(1);
          expect(reports[0]).to.include({ status: 0, completed: false, outcome: 'client-gone', bytesSent: 0 });
        },
      );
    }),
  );

  it(
    'has post hooks that fail logged, and those that take time waited for',
    scenario(() => {
      const gate = deferred();
      return serve(
        (_request, response) => {
          postHook(response, () => {
            throw new Error('boom');
          });
          postHook(response, async () => gate.promise);
          response.end('x');
        },
        async ({ connect, serving, errors }) => {
          await (await connect()).request(get());
          await waitFor('the hooks', () => serving.stats.pendingHooks === 1);
          expect(errors[0]).to.include({ event: 'hook.failed', error: 'boom' });
          gate.resolve();
        },
      );
    }),
  );

  for (const [how, listener] of [
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('boom'))],
    [
      'throws after setting headers',
      (_request, response) => {
        response.setHeader('X-A', '1');
        throw new Error('boom');
      },
    ],
  ] as Array<[string, Listener]>) {
    it(
      `answers 500 when it ${how}`,
      serve(listener, async ({ connect, errors }) => {
        const response = await (await connect()).request(get());
        expect([response.status, text(response), header(response, 'x-a')]).to.deep.equal([
          500,
          'Internal Server Error\n',
          undefined,
        ]);
        expect(errors[0]).to.include({ event: 'app.failed', error: 'boom' });
      }),
    );
  }

  it(
    'cuts the response when it fails after the head',
    serve(
      (_request, response) => {
        response.write('part');
        throw new Error('boom');
      },
      async ({ connect }) => {
        const client = await connect();
        client.send(get());
        await client.closed();
        expect(client.reader.responses).to.have.lengthOf(0);
      },
    ),
  );

  it(
    'closes each connection after a response with keepalive false',
    serve(
      (_request, response) => response.end('x'),
      async ({ connect }) => {
        const client = await connect();
        expect(header(await client.request(get()), 'connection')).to.equal('close');
        expect(await client.closed()).to.equal('fin');
      },
      { keepalive: false },
    ),
  );

  it(
    'closes connections after their response while draining',
    scenario(() => {
      const gate = deferred();
      return serve(
        async (_request, response) => {
          await gate.promise;
          response.end('x');
        },
        async ({ connect, serving }) => {
          const [busy, idle] = [await connect(), await connect()];
          busy.send(get());
          await waitFor('the request', () => serving.stats.activeRequests === 1 && serving.stats.connections === 2);
          serving.drain(60_000);
          serving.closeIdle();
          gate.resolve();
          expect(header(await busy.response(), 'connection')).to.equal('close');
          expect(await busy.closed()).to.equal('fin');
          idle.close();
        },
      );
    }),
  );

  it(
    'is not told of requests for other hosts, nor for another scheme: they get 421',
    serve(
      (request, response) => response.end(request.url),
      async ({ connect, serving, refusals, accessLines }) => {
        const allowed = await connect();
        expect(text(await allowed.request('GET /a HTTP/1.1\r\nHost: A.example:80\r\n\r\n'))).to.equal('/a');
        const targets = ['/', 'http://other/', 'https://a.example/'];
        for (const [index, target] of targets.entries()) {
          const client = await connect();
          const host = index === 0 ? 'other' : 'a.example';
          const response = await client.request(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
          expect([response.status, text(response)], target).to.deep.equal([421, '421 Misdirected Request\n']);
          expect(await client.closed()).to.equal('fin');
        }
        expect(refusals.map(({ code }) => code)).to.deep.equal(['WRONG_HOST', 'WRONG_HOST', 'WRONG_SCHEME']);
        expect(serving.stats.requests).to.equal(1);
        await waitFor('the access lines', () => accessLines.length === 4);
        expect(accessLines.filter((line) => line.includes(' 421 '))).to.have.lengthOf(3);
      },
      { allowedHosts: ['a.example'] },
    ),
  );

  it('refuses a post hook for a response that is not ours', () => {
    expect(() => postHook({} as ServerResponse, () => {})).to.throw(TypeError);
  });

  it(
    'may be one of Express',
    scenario(() => {
      const app = express();
      app.use(express.json());
      app.get('/hello/:name', (request, response) => void response.send(`Hello, ${request.params.name}!`));
      app.post('/json', (request, response) => void response.json(request.body));
      return serve(app, async ({ connect }) => {
        const client = await connect();
        expect(text(await client.request(get('/hello/evy')))).to.equal('Hello, evy!');
        expect(text(await client.request(post('{"a":1}', 'Content-Type: application/json\r\n', '/json')))).to.equal(
          '{"a":1}',
        );
        expect((await client.request(get('/nowhere'))).status).to.equal(404);
      });
    }),
  );
});
