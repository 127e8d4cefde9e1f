import { expect } from 'chai';
import type { App, Environ } from '../../src/index.ts';
import { fetchHandler } from '../../src/worker/interfaces/fetch.ts';
import { NodeService } from '../../src/worker/interfaces/node.ts';
import { postHook } from '../../src/worker/interfaces/node-requests.ts';
import { Service } from '../../src/worker/loop/service.ts';
import { header, text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { answer, deferred, get, post, scenario, withServer } from '../worker/helpers/with-server.ts';
import { withService } from '../worker/helpers/with-service.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const named = `X-Request-Id: given-1\r\nTraceparent: ${traceparent}\r\n`;
const names = answer((env) => JSON.stringify([env['evy.request_id'], env['evy.traceparent']]));
const namesIn = (body: string): [string, string | null] => JSON.parse(body) as [string, string | null];

describe('request ids and traceparent', () => {
  it(
    'are taken from trusted peers',
    withServer(names, { trustedProxies: 'loopback' }, async ({ connect }) => {
      const proxy = await connect();
      expect(namesIn(text(await proxy.request(get('/', named))))).to.deep.equal(['given-1', traceparent]);
      const [made, none] = namesIn(text(await proxy.request(get('/', 'X-Request-Id: a b\r\nTraceparent: x\r\n'))));
      expect(made).to.match(/^[\w-]+$/);
      expect(none).to.equal(null);
    }),
  );

  it(
    'are never taken from others; ids are made, one for each request',
    withServer(names, { trustedProxies: 'private' }, async ({ connect }) => {
      const client = await connect();
      const [one, none] = namesIn(text(await client.request(get('/', named))));
      const [other] = namesIn(text(await client.request(get('/', named))));
      expect(none).to.equal(null);
      expect(one).to.match(/^[\w-]+$/);
      expect(new Set(['given-1', one, other]).size).to.equal(3);
    }),
  );

  it(
    'are the same whenever one looks, and middleware may put its own in the place',
    scenario(() => {
      const seen: unknown[] = [];
      const app: App = (env, startResponse) => {
        const { 'evy.request_id': first } = env;
        seen.push(env['evy.request_id'] === first, { ...env }['evy.request_id'] === first);
        env['evy.request_id'] = 'mine';
        seen.push(env['evy.request_id']);
        startResponse('200 OK', []);
        return [];
      };
      return withServer(app, {}, async ({ connect }) => {
        await (await connect()).request(get());
        expect(seen).to.deep.equal([true, true, 'mine']);
      });
    }),
  );

  it(
    'come in the header of the option, and go back in it when asked for',
    withServer(
      names,
      { trustedProxies: 'loopback', requestIdHeader: 'X-Correlation-Id', sendRequestId: true },
      async ({ connect }) => {
        const proxy = await connect();
        const given = await proxy.request(get('/', 'X-Correlation-Id: c-1\r\nX-Request-Id: r-1\r\n'));
        expect([namesIn(text(given))[0], header(given, 'x-correlation-id')]).to.deep.equal(['c-1', 'c-1']);
        const made = await proxy.request(get());
        expect(header(made, 'x-correlation-id')).to.equal(namesIn(text(made))[0]);
        const head = await proxy.request(get('/', '', 'HEAD'), 'HEAD');
        expect(header(head, 'x-correlation-id')).to.match(/^[\w-]+$/);
      },
    ),
  );

  it(
    'do not go back unless asked for',
    withServer(names, { trustedProxies: 'loopback' }, async ({ connect }) => {
      expect(header(await (await connect()).request(get('/', named)), 'x-request-id')).to.equal(undefined);
    }),
  );

  it(
    'an id of the application itself goes out alone',
    withServer(answer('x', [['X-Request-ID', 'mine']]), { sendRequestId: true }, async ({ connect }) => {
      const response = await (await connect()).request(get());
      const sent = response.headers.filter(([name]) => name.toLowerCase() === 'x-request-id');
      expect(sent.map(([, value]) => value)).to.deep.equal(['mine']);
    }),
  );

  it(
    'stand in the log lines about a request',
    scenario(() => {
      const app: App = async (env, startResponse) => {
        env['evy.posthooks'].push([
          () => {
            throw new Error('hook');
          },
        ]);
        if (env.PATH_INFO === '/fails') throw new Error('app');
        const body = await env['wsgi.input'].read();
        startResponse('200 OK', []);
        return [body];
      };
      return withServer(app, { trustedProxies: 'loopback', maxBody: 2 }, async ({ connect, logged }) => {
        const proxy = await connect();
        await proxy.request(get('/fails', named));
        expect(logged('app.failed')[0]).to.include({ request: 'GET /fails', requestId: 'given-1', traceparent });
        expect(logged('hook.failed')[0]).to.include({ request: 'GET /fails', requestId: 'given-1', traceparent });
        await proxy.request(get('/fails'));
        const made = logged('app.failed')[1]!.requestId;
        expect(made).to.match(/^[\w-]+$/);
        expect(logged('hook.failed')[1]!.requestId).to.equal(made);
        const chunked = `${named}X-Forwarded-For: 192.0.2.1\r\nTransfer-Encoding: chunked\r\n`;
        proxy.send(`POST / HTTP/1.1\r\nHost: a\r\n${chunked}\r\n3\r\nabc\r\n0\r\n\r\n`);
        await proxy.response();
        expect(logged('request.refused')[0]).to.include({
          code: 'BODY_TOO_LARGE',
          peer: '192.0.2.1',
          request: 'POST /',
          requestId: 'given-1',
          traceparent,
        });
      });
    }),
  );

  it(
    'stand in the line about a request that is cut',
    scenario(() => {
      const started = deferred();
      const app: App = async (env) => {
        started.resolve();
        await new Promise((resolve) => env['evy.signal'].addEventListener('abort', resolve));
        return [];
      };
      return withServer(app, { trustedProxies: 'loopback' }, async ({ connect, server, logged }) => {
        (await connect()).send(get('/slow', `${named}X-Forwarded-For: 192.0.2.1\r\n`));
        await started.promise;
        await server.stop({ graceMs: 0 });
        expect(logged('request.cut')[0]).to.include({
          target: '/slow',
          peer: '192.0.2.1',
          requestId: 'given-1',
          traceparent,
        });
      });
    }),
  );

  it(
    'are there for fetch',
    withService(
      (parts) =>
        new Service({
          ...parts,
          handler: fetchHandler({
            fetch: (_request, { env }) => new Response(`${env['evy.request_id']} ${env['evy.traceparent']}`),
          }),
        }),
      { trustedProxies: 'loopback' },
      async ({ connect }) => {
        expect(text(await (await connect()).request(post('', named), 'POST'))).to.equal(`given-1 ${traceparent}`);
      },
    ),
  );

  it(
    'are there for the post hooks and log lines of a node listener, and in its responses',
    scenario(() => {
      const seen: Environ[] = [];
      return withService(
        (parts) =>
          new NodeService({
            ...parts,
            listener: (request, response) => {
              postHook(response, (env: Environ) => seen.push(env));
              if (request.url === '/fails') throw new Error('app');
              response.end('x');
            },
          }),
        { trustedProxies: 'loopback', sendRequestId: true },
        async ({ connect, errors }) => {
          const proxy = await connect();
          expect(header(await proxy.request(get('/', named)), 'x-request-id')).to.equal('given-1');
          const made = header(await proxy.request(get('/fails')), 'x-request-id');
          await waitFor('the hooks', () => seen.length === 2);
          expect(seen[0]).to.include({ 'evy.request_id': 'given-1', 'evy.traceparent': traceparent });
          expect(made).to.match(/^[\w-]+$/);
          expect(seen[1]!['evy.request_id']).to.equal(made);
          expect(errors[0]).to.include({ event: 'app.failed', requestId: made, request: 'GET /fails' });
        },
      );
    }),
  );
});
