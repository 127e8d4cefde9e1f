import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { ALREADY_HANDLED, type App, type DrainNotice } from '../../src/index.ts';
import { text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { deferred, get, withServer } from '../worker/helpers/with-server.ts';

describe('a socket that the application took over', () => {
  it('brings what was read already, and then what comes', async () => {
    const hooks: unknown[] = [];
    const app: App = (env) => {
      env['evy.posthooks'].push([() => hooks.push(1)]);
      const socket = env['wsgi.input'].takeSocket();
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.on('data', (bytes) => socket.write(bytes));
      socket.on('end', () => socket.end());
      return ALREADY_HANDLED;
    };
    await withServer(app, {}, async ({ connect, server, rest }) => {
      const client = await connect();
      client.send(`${get('/', 'Connection: upgrade\r\nUpgrade: echo\r\n')}early`);
      await waitFor('the echo', () => client.received.endsWith('early'));
      client.send(' late');
      await waitFor('the echo', () => client.received.endsWith('early late'));
      expect(server.counters).to.include({ connections: 1, activeRequests: 0 });
      expect(hooks).to.have.lengthOf(0);
      client.halfClose();
      await client.closed();
      await rest();
      expect(hooks).to.have.lengthOf(1);
    })();
  });

  /** `/take` gives the socket away, anything else is answered with so many bytes. */
  const taking =
    (whole: string, bytes: number): App =>
    (env, startResponse) => {
      if (env.PATH_INFO === '/take') {
        env['wsgi.input'].takeSocket().end(whole);
        return ALREADY_HANDLED;
      }
      startResponse('200 OK', []);
      return [Buffer.alloc(bytes, 'a')];
    };

  for (const bytes of [3, 60_000, 8_000_000]) {
    it(
      `comes after the answers before it, of ${bytes} bytes each, and neither is lost`,
      withServer(taking('raw', bytes), { pipelineDepth: 8, socketTimeout: '10s' }, async ({ connect, rest }) => {
        const client = await connect();
        client.socket.pause();
        client.send(get('/1') + get('/2') + get('/take'));
        await waitFor('bytes', () => client.socket.readableLength > 0 || client.bytesReceived > 0);
        client.socket.resume();
        expect(await client.closed()).to.equal('fin');
        const [before, first, second] = client.received.split('HTTP/1.1 200 OK\r\n');
        expect(before).to.equal('');
        expect(first!.endsWith(`\r\n\r\n${'a'.repeat(bytes)}`)).to.equal(true);
        expect(second!.endsWith(`\r\n\r\n${'a'.repeat(bytes)}raw`)).to.equal(true);
        await rest();
      }),
    );
  }

  it('is read no further than its reader reads', async () => {
    const taken = deferred<Socket>();
    const app: App = (env) => {
      taken.resolve(env['wsgi.input'].takeSocket());
      return ALREADY_HANDLED;
    };
    await withServer(app, {}, async ({ connect }) => {
      const client = await connect();
      client.send(get());
      const socket = await taken.promise;
      const chunk = Buffer.alloc(2 ** 20, 'x');
      const reader = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
      let got = 0;
      for (let sent = 0; sent < 64; sent += 1) client.socket.write(chunk);
      for (let pieces = 0; pieces < 20; pieces += 1) {
        got += (await reader.next()).value.length;
        expect(socket.readableLength).to.be.below(2 ** 20);
      }
      while (got < 64 * chunk.length) got += (await reader.next()).value.length;
      expect(got).to.equal(64 * chunk.length);
      socket.destroy();
    })();
  });

  for (const [name, then] of [
    [
      'throws',
      () => {
        throw new Error('boom');
      },
    ],
    ['returns a body', () => ['body']],
    ['rejects', async () => Promise.reject(new Error('boom'))],
    ['yields a body', () => new Set(['body'])],
  ] as Array<[string, () => ReturnType<App>]>) {
    it(
      `gets nothing from us when the application then ${name}`,
      withServer(
        (env, startResponse) => {
          const socket = env['wsgi.input'].takeSocket();
          socket.end('raw');
          startResponse('200 OK', []);
          return then();
        },
        {},
        async ({ connect }) => {
          const client = await connect();
          client.socket.write(get());
          await client.closed();
          expect(client.received).to.equal('raw');
        },
      ),
    );
  }

  it(
    'is given once, and not after the response has begun',
    withServer(
      async (env, startResponse) => {
        await startResponse('200 OK', [])('a');
        try {
          env['wsgi.input'].takeSocket();
        } catch (error) {
          return [String((error as { code?: string }).code)];
        }
        return ['taken'];
      },
      {},
      async ({ connect }) => {
        expect(text(await (await connect()).request(get()))).to.equal('aAPP_FAILED');
      },
    ),
  );

  it(
    'must have been taken when ALREADY_HANDLED is returned',
    withServer(
      () => ALREADY_HANDLED,
      {},
      async ({ connect, logged }) => {
        expect((await (await connect()).request(get())).status).to.equal(500);
        expect(logged('app.failed').map(({ code }) => code)).to.deep.equal(['APP_NO_START']);
      },
    ),
  );

  it('is told at stop how long it has, also when it is taken after that', async () => {
    const notices: DrainNotice[] = [];
    const gate = deferred();
    const app: App = async (env) => {
      if (env.PATH_INFO === '/late') await gate.promise;
      const socket = env['wsgi.input'].takeSocket();
      socket.on('evy:drain', (notice: DrainNotice) => {
        notices.push(notice);
        socket.end('bye');
      });
      socket.resume().write('taken');
      return ALREADY_HANDLED;
    };
    await withServer(app, {}, async ({ connect, server }) => {
      const [early, late] = [await connect(), await connect()];
      early.socket.write(get());
      late.socket.write(get('/late'));
      await waitFor('the socket', () => early.received === 'taken');
      await waitFor('the late request', () => server.counters.requests === 2);
      const stopped = server.stop({ graceMs: 60_000 });
      await waitFor('the first to be told', () => notices.length === 1);
      gate.resolve();
      for (const client of [early, late]) {
        await client.closed();
        expect(client.received).to.equal('takenbye');
        client.close();
      }
      await stopped;
      for (const { graceMs } of notices) expect(graceMs).to.be.within(50_000, 60_000);
    })();
  });

  it('is closed at stop when the grace time ends', async () => {
    const app: App = (env) => {
      env['wsgi.input'].takeSocket().write('raw');
      return [];
    };
    await withServer(app, {}, async ({ connect, server }) => {
      const client = await connect();
      client.socket.write(get());
      await once(client.socket, 'data');
      await server.stop({ graceMs: 0 });
      await client.closed();
    })();
  });
});
