import { expect } from 'chai';
import type { ServerResponse } from 'node:http';
import type { App, Environ, ResponseReport } from '../../src/index.ts';
import type { FetchApp } from '../../src/shared/application.ts';
import { fetchHandler } from '../../src/worker/interfaces/fetch.ts';
import { NodeService } from '../../src/worker/interfaces/node.ts';
import { postHook, requestSignal } from '../../src/worker/interfaces/node-requests.ts';
import { Service } from '../../src/worker/loop/service.ts';
import { wsgiHandler } from '../../src/worker/interfaces/wsgi.ts';
import { header, text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { get, post } from '../worker/helpers/with-server.ts';
import { handTime } from '../worker/helpers/hand-time.ts';
import { withService, type ServingParts, type WithService } from '../worker/helpers/with-service.ts';
import type { Serving } from '../../src/worker/loop/service.ts';

/** The time-out and the clock's three ticks. */
const passedMs = 2_000;
const options = { requestTimeout: '200ms', logFormat: '%(request_line)s %(status_code)s %(outcome)s' };

interface Timed extends WithService {
  /** The time of a request passes, once it is under way. */
  pass(): Promise<void>;
  flow(ms: number): Promise<void>;
}

/** What became of a request, as its application and its hooks saw it. */
class Witness {
  reports: Array<ResponseReport | undefined> = [];
  reasons: string[] = [];
  closes = 0;

  readonly hook = (env: Environ): void => void this.reports.push(env['evy.response']);
  watch(signal: AbortSignal): void {
    signal.addEventListener('abort', () => this.reasons.push((signal.reason as { code: string }).code));
  }
}

/** One application on each interface: it never answers, but what `late` does once its signal is aborted. */
const interfaces: Array<[name: string, make: (witness: Witness) => (parts: ServingParts) => Serving]> = [
  [
    'wsgi',
    (witness) => {
      const app: App = async (env, startResponse) => {
        if (env.PATH_INFO === '/quick') {
          startResponse('200 OK', []);
          return ['quick'];
        }
        env['evy.posthooks'].push([witness.hook]);
        witness.watch(env['evy.signal']);
        if (env.PATH_INFO === '/begun') await startResponse('200 OK', [])('begun');
        await new Promise((resolve) => env['evy.signal'].addEventListener('abort', resolve));
        startResponse('200 OK', [['X-Late', 'yes']]);
        return Object.assign(['too ', 'late'], { close: () => (witness.closes += 1) });
      };
      return (parts) => new Service({ ...parts, handler: wsgiHandler(app) });
    },
  ],
  [
    'fetch',
    (witness) => {
      const app: FetchApp = {
        async fetch(request, ctx) {
          if (request.url.endsWith('/quick')) return new Response('quick');
          ctx.postHook(witness.hook);
          witness.watch(request.signal);
          const aborted = new Promise<void>((resolve) => request.signal.addEventListener('abort', () => resolve()));
          const body = new ReadableStream<Uint8Array>({
            start: (controller) => controller.enqueue(Buffer.from('begun')),
            pull: () => aborted,
            cancel: () => void (witness.closes += 1),
          });
          if (!request.url.endsWith('/begun')) await aborted;
          return new Response(body, { headers: { 'X-Late': 'yes' } });
        },
      };
      return (parts) => new Service({ ...parts, handler: fetchHandler(app) });
    },
  ],
  [
    'node',
    (witness) => {
      const later = (response: ServerResponse): void => {
        // All that an Express application may do, which must hurt nobody now.
        response.statusCode = 200;
        response.setHeader('X-Late', 'yes').appendHeader('X-Later', 'yes').removeHeader('X-Late');
        response.writeHead(200, { 'X-Late': 'yes' });
        response.flushHeaders();
        response.write('too ', () => response.end('late', () => (witness.closes += 1)));
      };
      return (parts) =>
        new NodeService({
          ...parts,
          listener: (request, response) => {
            if (request.url === '/quick') {
              response.end('quick');
              return;
            }
            postHook(response, witness.hook);
            witness.watch(requestSignal(response));
            response.setHeader('X-Early', 'yes');
            if (request.url === '/begun') response.write('begun');
            requestSignal(response).addEventListener('abort', () => setImmediate(later, response));
          },
        });
    },
  ],
];

for (const [name, make] of interfaces) {
  const serve = (test: (served: Timed, witness: Witness) => Promise<void>) => async () => {
    const [witness, time] = [new Witness(), handTime()];
    const pass = async (served: WithService) => {
      await waitFor('the request', () => served.serving.stats.activeRequests > 0);
      await time.flow(passedMs);
    };
    await withService(
      (parts) => make(witness)({ ...parts, time }),
      options,
      (served) => test({ ...served, pass: () => pass(served), flow: (ms) => time.flow(ms) }, witness),
    )();
  };

  describe(`requestTimeout, ${name}`, () => {
    it(
      'answers 504, aborts the signal and tells the hooks; the connection serves on',
      serve(async ({ connect, pass, accessLines, errors }, witness) => {
        const client = await connect();
        client.send(get('/slow'));
        await pass();
        const response = await client.response();
        expect(response.status).to.equal(504);
        expect(text(response)).to.equal('Gateway Timeout\n');
        for (const field of ['X-Late', 'X-Early']) expect(header(response, field)).to.equal(undefined);
        await waitFor('the hook', () => witness.reports.length > 0);
        expect(witness.reasons).to.deep.equal(['REQUEST_TIMEOUT']);
        expect(witness.reports[0]).to.include({ status: 504, outcome: 'timed-out', completed: true });
        expect(text(await client.request(get('/quick')))).to.equal('quick');
        await waitFor('what the application does late', () => witness.closes > 0);
        // Nothing that it did late shows up anywhere.
        expect(text(await client.request(get('/quick')))).to.equal('quick');
        expect(client.reader.responses).to.have.length(3);
        expect(witness.reports).to.have.length(1);
        expect(accessLines[0]).to.equal('GET /slow HTTP/1.1 504 timed-out');
        expect(errors).to.deep.equal([]);
      }),
    );

    it(
      'cuts a response that has begun, so that the client sees it',
      serve(async ({ connect, pass, accessLines, errors }, witness) => {
        const client = await connect();
        client.send(get('/begun'));
        await client.bytes(1);
        await pass();
        await client.closed();
        expect(client.received)
          .to.match(/^HTTP\/1.1 200 OK\r\n/)
          .and.include('\r\n5\r\nbegun\r\n');
        expect(client.received).to.not.include('\r\n0\r\n\r\n');
        await waitFor('the hook', () => witness.reports.length > 0);
        expect(witness.reasons).to.deep.equal(['REQUEST_TIMEOUT']);
        expect(witness.reports[0]).to.include({ status: 200, outcome: 'timed-out', completed: false });
        await waitFor('the access line', () => accessLines.length > 0);
        expect(accessLines).to.deep.equal(['GET /begun HTTP/1.1 200 timed-out']);
        expect(errors).to.deep.equal([]);
      }),
    );

    it(
      'throws the rest of a body away',
      serve(async ({ connect, pass }) => {
        const client = await connect();
        client.send(`POST /slow HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n01234`);
        await pass();
        expect((await client.response()).status).to.equal(504);
        client.send(`56789${get('/quick')}`);
        expect(text(await client.response())).to.equal('quick');
      }),
    );

    it(
      'is no matter of requests that are quick',
      serve(async ({ connect, flow }, witness) => {
        const client = await connect();
        // Longer than the deadline, on one connection.
        for (let times = 0; times < 5; times += 1) {
          expect(text(await client.request(post('x', '', '/quick')))).to.equal('quick');
          await flow(500);
        }
        expect(witness.reports).to.deep.equal([]);
      }),
    );

    it('comes in real time, too', async () => {
      const witness = new Witness();
      await withService(make(witness), options, async ({ connect }) => {
        const client = await connect();
        client.send(get('/slow'));
        expect((await client.response()).status).to.equal(504);
        await waitFor('the hook', () => witness.reports.length > 0);
      })();
    });
  });
}
