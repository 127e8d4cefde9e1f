import { expect } from 'chai';
import { silentLogger } from '../../../src/shared/log/log.ts';
import { resolveServerInput } from '../../../src/shared/options/input.ts';
import { fetchHandler } from '../../../src/worker/interfaces/fetch.ts';
import { postHook } from '../../../src/worker/interfaces/node-requests.ts';
import { NodeService } from '../../../src/worker/interfaces/node.ts';
import { wsgiHandler } from '../../../src/worker/interfaces/wsgi.ts';
import { Service } from '../../../src/worker/loop/service.ts';
import type { Serving } from '../../../src/worker/loop/service.ts';
import { warmUp } from '../../../src/worker/process/warm-up.ts';

interface Warmed {
  /** what the application saw: method, path, scheme, agent */
  seen: string[];
  hooks: number[];
  steps: string[];
  error: (Error & { code?: string }) | undefined;
}

/** Statuses by path; '/cut' is a response that does not come to its end. */
const statusOf = (path: string): number => Number(/^\/(\d+)/.exec(path)?.[1] ?? 200);
const text = 'x'.repeat(100_000);

type Make = (warmed: Warmed) => Serving;
const shared = () => ({
  settings: resolveServerInput({}),
  log: silentLogger,
  accessLog: undefined,
  multiprocess: true,
});

const interfaces: Record<string, Make> = {
  wsgi: ({ seen, hooks }) =>
    new Service({
      ...shared(),
      handler: wsgiHandler((env, startResponse) => {
        seen.push([env.REQUEST_METHOD, env.RAW_URI, env['wsgi.url_scheme'], env['HTTP_USER_AGENT']].join(' '));
        env['evy.posthooks'].push([(done) => void hooks.push(done['evy.response']!.bytesSent)]);
        const length = env.PATH_INFO === '/cut' ? '200000' : '100000';
        startResponse(`${statusOf(env.PATH_INFO)} Whatever`, [['Content-Length', length]]);
        return [text];
      }),
    }),
  fetch: ({ seen, hooks }) =>
    new Service({
      ...shared(),
      handler: fetchHandler({
        fetch: (request, context) => {
          const { pathname, protocol } = new URL(request.url);
          seen.push([request.method, pathname, protocol.slice(0, -1), request.headers.get('user-agent')].join(' '));
          context.postHook((done) => void hooks.push(done['evy.response']!.bytesSent));
          if (pathname !== '/cut') return new Response(text, { status: statusOf(pathname) });
          return new Response(
            new ReadableStream({
              pull: (controller) => controller.error(new Error('out of bytes')),
              start: (controller) => controller.enqueue(new Uint8Array(10)),
            }),
          );
        },
      }),
    }),
  node: ({ seen, hooks }) =>
    new NodeService({
      ...shared(),
      listener: (request, response) => {
        seen.push([request.method, request.url, 'http', request.headers['user-agent']].join(' '));
        postHook(response, () => void hooks.push(1));
        response.writeHead(statusOf(request.url!), { 'content-length': String(text.length) });
        if (request.url === '/cut') response.write('short', () => response.destroy());
        else response.end(text);
      },
    }),
};

async function warmedUp(make: Make, requests: string[], scheme: 'http' | 'https' = 'http'): Promise<Warmed> {
  const warmed: Warmed = { seen: [], hooks: [], steps: [], error: undefined };
  const onStep = (step: string) => void warmed.steps.push(step);
  await warmUp({ serving: make(warmed), scheme, host: 'localhost', requests, onStep }).catch((error: Error) => {
    warmed.error = error;
  });
  return warmed;
}

describe('a warm-up', () => {
  for (const [name, make] of Object.entries(interfaces)) {
    describe(name, () => {
      it('sends its requests to the application one after the other, and its hooks run', async () => {
        const { seen, hooks, steps, error } = await warmedUp(make, ['GET:/one', 'HEAD:/two', 'POST:/302/three']);
        expect(error).to.equal(undefined);
        expect(seen).to.deep.equal([
          'GET /one http evy-warm-up',
          'HEAD /two http evy-warm-up',
          'POST /302/three http evy-warm-up',
        ]);
        expect(steps).to.deep.equal(['warm-up GET /one', 'warm-up HEAD /two', 'warm-up POST /302/three']);
        expect(hooks).to.have.length(3);
      });

      it('ends with the first answer that is no success, and names it', async () => {
        const { seen, error } = await warmedUp(make, ['GET:/399', 'GET:/404/x', 'GET:/never']);
        expect(seen).to.have.length(2);
        expect(error).to.include({ code: 'WARM_UP_FAILED' });
        expect(error!.message).to.match(
          /^warm-up GET \/404\/x must be answered with 2xx or 3xx before the worker serves \(got 404\)/,
        );
      });

      it('takes an answer that is not whole for none', async () => {
        const { error } = await warmedUp(make, ['GET:/cut']);
        expect(error).to.include({ code: 'WARM_UP_FAILED' });
        expect(error!.message).to.match(/^warm-up GET \/cut got no complete response/);
      });
    });
  }

  it('has the scheme of the first address', async () => {
    expect((await warmedUp(interfaces['wsgi']!, ['GET:/'], 'https')).seen).to.deep.equal(['GET / https evy-warm-up']);
  });
});
