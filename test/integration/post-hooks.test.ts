import { expect } from 'chai';
import type { App, Environ } from '../../src/index.ts';
import { text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { deferred, get, scenario, withServer } from '../worker/helpers/with-server.ts';

const hooked =
  (...hooks: Environ['evy.posthooks']): App =>
  (env, startResponse) => {
    env['evy.posthooks'].push(...hooks);
    startResponse('200 OK', []);
    return ['hello'];
  };

describe('post hooks', () => {
  it(
    'run after the response, once, in order, with what was sent',
    scenario(() => {
      const calls: Array<[string, Environ['evy.response']]> = [];
      const record = (env: Environ, name: string) => calls.push([name, env['evy.response']]);
      return withServer(hooked([record, ['first']], [record, ['second']]), {}, async ({ connect }) => {
        const client = await connect();
        await client.request(get());
        await waitFor('the hooks', () => calls.length === 2);
        expect(calls.map(([name]) => name)).to.deep.equal(['first', 'second']);
        const report = calls[0]![1]!;
        expect(report).to.include({ status: 200, completed: true, outcome: 'sent', bytesSent: client.bytesReceived });
        expect(report.durationMs).to.be.within(0, 5000);
      });
    }),
  );

  it(
    'are told the bytes of their own response when several leave together',
    scenario(() => {
      const sizes: number[] = [];
      const app: App = (env, startResponse) => {
        env['evy.posthooks'].push([(given) => sizes.push(given['evy.response']!.bytesSent)]);
        startResponse('200 OK', []);
        return ['x'.repeat(Number(env.QUERY_STRING))];
      };
      return withServer(app, {}, async ({ connect }) => {
        const client = await connect();
        client.send(get('/?10') + get('/?70000') + get('/?1000'));
        await client.responses(3);
        await waitFor('the hooks', () => sizes.length === 3);
        expect(sizes.reduce((sum, size) => sum + size)).to.equal(client.bytesReceived);
        expect(sizes[0]! - 10).to.be.within(50, 200);
        expect(sizes[1]! - sizes[0]!).to.be.within(69_990, 70_010);
      });
    }),
  );

  it(
    'that throw or reject are logged with their request, and the connection goes on',
    withServer(
      hooked(
        [
          () => {
            throw new Error('thrown');
          },
        ],
        [async () => Promise.reject(new Error('rejected'))],
        [
          () => {
            throw Object.create(null);
          },
        ],
      ),
      {},
      async ({ connect, logged }) => {
        const client = await connect();
        await client.request(get('/one'));
        expect(text(await client.request(get('/two')))).to.equal('hello');
        await waitFor('the lines', () => logged('hook.failed').length === 6);
        expect(
          logged('hook.failed').map(({ error, request }) => `${String(request)} ${String(error)}`),
        ).to.have.members(
          ['/one', '/two'].flatMap((path) => [
            `GET ${path} thrown`,
            `GET ${path} rejected`,
            `GET ${path} a value that is no Error was thrown: [Object: null prototype] {}`,
          ]),
        );
      },
    ),
  );

  it(
    'do not delay the next request, but the stop of the server',
    scenario(() => {
      const gate = deferred();
      let done = 0;
      const app = hooked([
        async () => {
          await gate.promise;
          done += 1;
        },
      ]);
      return withServer(app, {}, async ({ connect, server }) => {
        const client = await connect();
        await client.request(get());
        await client.request(get());
        expect(done).to.equal(0);
        expect(server.counters.pendingHooks).to.equal(2);
        let stopped = false;
        const stopping = server.stop({ graceMs: 5000 }).then(() => {
          stopped = true;
        });
        await client.closed();
        client.close();
        await waitFor('no connection', () => server.counters.connections === 0);
        expect(stopped).to.equal(false);
        gate.resolve();
        await stopping;
        expect(done).to.equal(2);
      });
    }),
  );

  it(
    'are not waited for when the grace time ends',
    scenario(() => {
      const gate = deferred();
      return withServer(hooked([async () => gate.promise]), {}, async ({ connect, server }) => {
        const client = await connect();
        await client.request(get());
        client.close();
        await server.stop({ graceMs: 50 });
        expect(server.counters.pendingHooks).to.equal(1);
        gate.resolve();
      });
    }),
  );

  it(
    'run when the application failed',
    scenario(() => {
      const reports: Array<Environ['evy.response']> = [];
      const app: App = (env) => {
        env['evy.posthooks'].push([(given) => reports.push(given['evy.response'])]);
        throw new Error('boom');
      };
      return withServer(app, {}, async ({ connect }) => {
        await (await connect()).request(get());
        await waitFor('the hook', () => reports.length === 1);
        expect(reports[0]).to.include({ status: 500, completed: true, outcome: 'failed' });
      });
    }),
  );

  it(
    'run at the end of the iteration when the last byte had left before',
    scenario(() => {
      let ran = 0;
      const left = deferred();
      const app: App = async (env, startResponse) => {
        startResponse('200 OK', [['Content-Length', '1']]);
        env['evy.posthooks'].push([() => (ran += 1)]);
        return (async function* () {
          yield 'x';
          await left.promise;
        })();
      };
      return withServer(app, {}, async ({ connect, accessLines }) => {
        await (await connect()).request(get());
        expect(ran).to.equal(0);
        left.resolve();
        await waitFor('the hook', () => ran === 1);
        await waitFor('the access line', () => accessLines.length > 0);
        expect(accessLines).to.have.lengthOf(1);
      });
    }),
  );

  it(
    'that are pushed after the client has gone run when the application is done',
    scenario(() => {
      const started = deferred();
      const gate = deferred();
      const ran: string[] = [];
      const app: App = async (env) => {
        env['evy.posthooks'].push([() => ran.push('early')]);
        started.resolve();
        await gate.promise;
        env['evy.posthooks'].push([() => ran.push('late')]);
        throw new Error('boom');
      };
      return withServer(app, {}, async ({ connect, rest }) => {
        const client = await connect();
        client.send(get());
        await started.promise;
        client.abort();
        await rest();
        expect(ran).to.deep.equal(['early']);
        gate.resolve();
        await waitFor('the hook', () => ran.length === 2);
        expect(ran).to.deep.equal(['early', 'late']);
      });
    }),
  );

  it(
    'may be replaced by nonsense without harm',
    withServer(
      (env, startResponse) => {
        (env as Record<string, unknown>)['evy.posthooks'] = undefined;
        startResponse('200 OK', []);
        return ['hello'];
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        await client.request(get());
        expect(text(await client.request(get()))).to.equal('hello');
      },
    ),
  );
});
