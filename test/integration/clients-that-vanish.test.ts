import { once } from 'node:events';
import { expect } from 'chai';
import type { App, Environ, EvyError } from '../../src/index.ts';
import { fetchHandler } from '../../src/worker/interfaces/fetch.ts';
import { wsgiHandler } from '../../src/worker/interfaces/wsgi.ts';
import { Service } from '../../src/worker/loop/service.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { withService } from '../worker/helpers/with-service.ts';
import type { RawClient } from '../helpers/raw-client.ts';
import { deferred, get, withServer } from '../worker/helpers/with-server.ts';

/** What the application of a test went through. */
class Witness {
  hooks: Array<Environ['evy.response']> = [];
  closes = 0;
  returns = 0;
  aborted = 0;
  pieces = 0;
  errors: unknown[] = [];
  readonly started = deferred();

  watch(env: Environ): void {
    env['evy.posthooks'].push([(given) => this.hooks.push(given['evy.response'])]);
    env['evy.signal'].addEventListener('abort', () => (this.aborted += 1));
    this.started.resolve();
  }
  /** A body of many pieces that never ends by itself, with a close(). */
  endless(piece: string | Buffer, isAsync: boolean): AsyncIterable<string | Buffer> | Iterable<string | Buffer> {
    const body = isAsync ? piecesLater(this, piece) : piecesNow(this, piece);
    return Object.assign(body, {
      close: () => {
        this.closes += 1;
      },
    });
  }
}

function* piecesNow(witness: Witness, piece: string | Buffer): Generator<string | Buffer> {
  try {
    for (;;) {
      witness.pieces += 1;
      yield piece;
    }
  } finally {
    witness.returns += 1;
  }
}

async function* piecesLater(witness: Witness, piece: string | Buffer): AsyncGenerator<string | Buffer> {
  yield* piecesNow(witness, piece);
}

const leave: Array<[how: string, act: (client: RawClient) => void]> = [
  ['with a reset', (client) => client.abort()],
  ['by closing', (client) => client.close()],
];

describe('a client that vanishes', () => {
  for (const [how, act] of leave) {
    it(
      `before its request leaves nothing behind (${how})`,
      withServer(
        () => [],
        {},
        async ({ connect, server, rest }) => {
          act(await connect());
          await rest();
          expect(server.counters.requests).to.equal(0);
        },
      ),
    );

    it(
      `in the middle of a head leaves nothing behind (${how})`,
      withServer(
        () => [],
        {},
        async ({ connect, server, rest }) => {
          const client = await connect();
          client.send('GET / HTTP/1.1\r\nHost: a\r\nX');
          await waitFor('the bytes to be sent', () => client.socket.writableLength === 0);
          act(client);
          await rest();
          expect(server.counters.requests).to.equal(0);
        },
      ),
    );

    for (const isAsync of [false, true]) {
      it(`in the middle of a response stops the ${isAsync ? 'async ' : ''}iteration, and hooks and close() run once (${how})`, async () => {
        const witness = new Witness();
        const app: App = (env, startResponse) => {
          witness.watch(env);
          startResponse('200 OK', []);
          return witness.endless(Buffer.alloc(10_000), isAsync);
        };
        await withServer(app, {}, async ({ connect, rest, accessLines }) => {
          const client = await connect();
          client.send(get());
          await client.bytes(100_000);
          act(client);
          await rest();
          await waitFor('the end of the iteration', () => witness.returns === 1 && witness.closes === 1);
          expect(witness.hooks).to.have.lengthOf(1);
          expect(witness.hooks[0]).to.include({ status: 200, completed: false, outcome: 'client-gone' });
          expect(witness.hooks[0]!.bytesSent).to.be.at.least(65_536);
          expect(witness.aborted).to.equal(1);
          await waitFor('the access line', () => accessLines.length > 0);
          expect(accessLines).to.have.lengthOf(1);
          const pieces = witness.pieces;
          await new Promise((resolve) => setImmediate(resolve));
          expect(witness.pieces).to.equal(pieces);
        })();
        expect([witness.returns, witness.closes, witness.hooks.length]).to.deep.equal([1, 1, 1]);
      });
    }

    it(`in the middle of its body lets the application know (${how})`, async () => {
      const witness = new Witness();
      const app: App = async (env, startResponse) => {
        witness.watch(env);
        try {
          await env['wsgi.input'].read();
        } catch (error) {
          witness.errors.push(error);
          throw error;
        }
        startResponse('200 OK', []);
        return ['never'];
      };
      await withServer(app, {}, async ({ connect, rest, logged }) => {
        const client = await connect();
        client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
        await witness.started.promise;
        client.abort();
        await rest();
        await waitFor('the rejection', () => witness.errors.length === 1);
        expect((witness.errors[0] as EvyError).code).to.equal('BODY_CUT');
        expect(witness.hooks).to.have.lengthOf(1);
        expect(witness.hooks[0]).to.include({ status: 0, bytesSent: 0, completed: false, outcome: 'client-gone' });
        expect(logged('app.failed').filter(({ level }) => level !== 'debug')).to.deep.equal([]);
      })();
    });
  }

  it(
    'with a FIN in the middle of its body is told 400',
    withServer(
      async (env, startResponse) => {
        await env['wsgi.input'].read();
        startResponse('200 OK', []);
        return ['never'];
      },
      {},
      async ({ connect, logged }) => {
        const client = await connect();
        client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc');
        client.halfClose();
        expect((await client.response()).status).to.equal(400);
        expect(await client.closed()).to.equal('fin');
        expect(logged('request.refused').map(({ code }) => code)).to.deep.equal(['BODY_CUT']);
      },
    ),
  );

  it('with a FIN in the middle of its body aborts the signal, and what the application says about it still leaves', async () => {
    const reasons: unknown[] = [];
    const wsgiApp: App = async (env, startResponse) => {
      await once(env['evy.signal'], 'abort');
      reasons.push((env['evy.signal'].reason as EvyError).code);
      startResponse('422 Unprocessable Content', []);
      return ['half a body'];
    };
    const fetchApp = {
      fetch: async (request: Request) => {
        const fault: unknown = await request.text().catch((error: unknown) => error);
        reasons.push((fault as EvyError).code, (request.signal.reason as EvyError).code);
        return new Response('half a body', { status: 422 });
      },
    };
    for (const handler of [wsgiHandler(wsgiApp), fetchHandler(fetchApp)]) {
      await withService(
        (parts) => new Service({ ...parts, handler }),
        {},
        async ({ connect }) => {
          const client = await connect();
          client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc');
          client.halfClose();
          expect((await client.response()).status).to.equal(422);
        },
      )();
    }
    expect(reasons).to.deep.equal(['BODY_CUT', 'BODY_CUT', 'BODY_CUT']);
  });

  it(
    'with a FIN in the middle of a head is told 400',
    withServer(
      () => [],
      {},
      async ({ connect, logged }) => {
        const client = await connect();
        client.send('GET / HTTP/1.1\r\nHo');
        client.halfClose();
        expect((await client.response()).status).to.equal(400);
        expect(await client.closed()).to.equal('fin');
        expect(logged('request.refused').map(({ code }) => code)).to.deep.equal(['HEAD_CUT']);
      },
    ),
  );

  it('while the application works aborts its signal, and what it returns then is closed and never iterated', async () => {
    const witness = new Witness();
    const gate = deferred();
    const app: App = async (env, startResponse) => {
      witness.watch(env);
      await gate.promise;
      startResponse('200 OK', []);
      return witness.endless('x', true);
    };
    await withServer(app, {}, async ({ connect, rest }) => {
      const client = await connect();
      client.send(get());
      await witness.started.promise;
      client.abort();
      await rest();
      expect([witness.aborted, witness.hooks.length]).to.deep.equal([1, 1]);
      gate.resolve();
      await waitFor('close()', () => witness.closes === 1);
      expect(witness.pieces).to.equal(0);
    })();
    expect([witness.closes, witness.hooks.length]).to.deep.equal([1, 1]);
  });

  it('while an async iterator waits closes it at once', async () => {
    let returned = 0;
    let closed = 0;
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<IteratorResult<string>>(() => {}),
        return: async () => {
          returned += 1;
          return { done: true as const, value: undefined };
        },
      }),
      close: () => {
        closed += 1;
      },
    };
    const started = deferred();
    const app: App = (_env, startResponse) => {
      startResponse('200 OK', []);
      started.resolve();
      return body;
    };
    await withServer(app, {}, async ({ connect, rest }) => {
      const client = await connect();
      client.send(get());
      await started.promise;
      client.abort();
      await rest();
      expect([returned, closed]).to.deep.equal([1, 1]);
    })();
  });

  it('with answers still queued has hooks of each of its requests run once', async () => {
    const witness = new Witness();
    const app: App = (env, startResponse) => {
      witness.watch(env);
      startResponse('200 OK', []);
      return [Buffer.alloc(3_000_000)];
    };
    await withServer(app, {}, async ({ connect, rest, server }) => {
      const client = await connect();
      client.pause();
      client.send(get().repeat(5));
      await waitFor('a request', () => server.counters.requests > 0);
      client.abort();
      await rest();
      expect(witness.hooks).to.have.lengthOf(server.counters.requests);
    })();
  });

  it('in a write() wakes the application', async () => {
    const finished = deferred<string>();
    const app: App = async (env, startResponse) => {
      const write = startResponse('200 OK', []);
      while (!env['evy.signal'].aborted) await write(Buffer.alloc(100_000));
      finished.resolve('done');
      return [];
    };
    await withServer(app, {}, async ({ connect }) => {
      const client = await connect();
      client.pause();
      client.send(get());
      await waitFor('the server to be held back', () => client.socket.writableLength === 0);
      client.abort();
      expect(await finished.promise).to.equal('done');
    })();
  });

  it('half way through 10 MB has its bytes counted, not those that were promised', async () => {
    const witness = new Witness();
    const total = 10_000_000;
    const app: App = (env, startResponse) => {
      witness.watch(env);
      startResponse('200 OK', [['Content-Length', String(total)]]);
      return [Buffer.alloc(total, 'x')];
    };
    await withServer(app, { logFormat: '%(body_length)s' }, async ({ connect, accessLines }) => {
      const client = await connect();
      client.send(get());
      await client.bytes(total / 2);
      client.pause();
      const taken = client.bytesReceived;
      client.abort();
      await waitFor('the hook', () => witness.hooks.length === 1);
      const { bytesSent, completed, outcome } = witness.hooks[0]!;
      // What the client has not taken lies in the buffers of the two sockets, some MB at most.
      expect(bytesSent).to.be.within(taken - 65_536, Math.min(taken + 5_000_000, total - 1));
      expect([completed, outcome]).to.deep.equal([false, 'client-gone']);
      await waitFor('the access line', () => accessLines.length > 0);
      expect(Number(accessLines[0]))
        .to.be.below(bytesSent)
        .and.be.above(bytesSent - 300);
    })();
  });
});
