import { expect } from 'chai';
import type { RawClient } from '../helpers/raw-client.ts';
import { text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import type { App } from '../../src/index.ts';
import type { ServerOptionsInput } from '../../src/shared/options/table.ts';
import { Service } from '../../src/worker/loop/service.ts';
import type { Handler } from '../../src/worker/loop/exchange.ts';
import { fetchHandler } from '../../src/worker/interfaces/fetch.ts';
import { wsgiHandler } from '../../src/worker/interfaces/wsgi.ts';
import { handTime, type HandTime } from '../worker/helpers/hand-time.ts';
import { withService, type WithService } from '../worker/helpers/with-service.ts';
import { answer, echo, post } from '../worker/helpers/with-server.ts';

const hello = answer('hello');
const head = (size: number, headers = '') => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n${headers}\r\n`;

type Scene = WithService & { time: HandTime };

/** A server whose time passes only when the test says so. In real time, the built command shows the same (slow-clients.test.ts). */
function serve(app: App | Handler, options: ServerOptionsInput, test: (scene: Scene) => Promise<void>) {
  return async () => {
    const time = handTime();
    const handler = app.length === 1 ? (app as Handler) : wsgiHandler(app as App);
    await withService(
      (parts) => new Service({ ...parts, handler, time }),
      options,
      (served) => test({ ...served, time }),
    )();
  };
}

const isBegun = ({ serving }: Scene) => waitFor('the request', () => serving.stats.activeRequests === 1);

/** Sends a piece at each tick of the clock until the server has answered, or has taken so many. */
async function drip({ time }: Scene, client: RawClient, piece: string, count = Infinity): Promise<void> {
  for (let sent = 0; sent < count; sent += 1) {
    if (client.ending !== undefined || client.reader.responses.length > 0) return;
    client.socket.write(piece);
    await time.flow(500);
  }
}

// In all of these the client sends more often than socketTimeout asks for: only its pace can be at fault.
const slow: ServerOptionsInput = { bodyMinRate: 1000, socketTimeout: '60s' };

describe('a body that comes more slowly than bodyMinRate', () => {
  it(
    'is refused with 408 by way of the application',
    serve(echo, slow, async (scene) => {
      const client = await scene.connect();
      client.send(head(100_000));
      await isBegun(scene);
      await drip(scene, client, 'x');
      expect((await client.response()).status).to.equal(408);
      expect(await client.closed()).to.equal('fin');
      expect(scene.refusals.map(({ code }) => code)).to.deep.equal(['BODY_TOO_SLOW']);
    }),
  );

  it(
    'is refused though it began with a lot at once',
    serve(echo, slow, async (scene) => {
      const client = await scene.connect();
      client.send(head(1_000_000) + 'x'.repeat(500_000));
      await isBegun(scene);
      await drip(scene, client, 'x');
      expect((await client.response()).status).to.equal(408);
      expect(scene.refusals.map(({ code }) => code)).to.deep.equal(['BODY_TOO_SLOW']);
    }),
  );

  it(
    'and is chunked, a byte a chunk, is refused with 408',
    serve(echo, slow, async (scene) => {
      const client = await scene.connect();
      client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      await isBegun(scene);
      await drip(scene, client, '1\r\nx\r\n');
      expect((await client.response()).status).to.equal(408);
      expect(scene.refusals.map(({ code }) => code)).to.deep.equal(['BODY_TOO_SLOW']);
    }),
  );

  it(
    'and that nobody reads only ends the connection after the answer',
    serve(hello, slow, async (scene) => {
      const client = await scene.connect();
      client.send(head(10_000));
      expect((await client.response()).status).to.equal(200);
      for (let ticks = 0; ticks < 100 && client.ending === undefined; ticks += 1) {
        client.socket.write('x');
        await scene.time.flow(500);
      }
      expect(client.ending).to.equal('fin');
      expect(client.reader.responses).to.have.lengthOf(1);
    }),
  );

  it(
    'is refused with 408 on the fetch interface, too',
    serve(fetchHandler({ fetch: async (request) => new Response(await request.text()) }), slow, async (scene) => {
      const client = await scene.connect();
      client.send(head(100_000));
      await isBegun(scene);
      await drip(scene, client, 'x');
      expect((await client.response()).status).to.equal(408);
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'is taken when the rate is 0',
    serve(echo, { ...slow, bodyMinRate: 0 }, async (scene) => {
      const client = await scene.connect();
      client.send(head(60));
      await isBegun(scene);
      await drip(scene, client, 'x', 60);
      expect(text(await client.response())).to.equal('x'.repeat(60));
    }),
  );
});

describe('a body is not too slow', () => {
  it(
    'when it keeps to the rate',
    serve(echo, slow, async (scene) => {
      const client = await scene.connect();
      client.send(head(60_000));
      await isBegun(scene);
      await drip(scene, client, 'x'.repeat(1000), 60); // for half a minute, twice the rate
      expect(text(await client.response())).to.equal('x'.repeat(60_000));
    }),
  );

  /** Longer than the time-outs and the clock's two ticks. */
  const lateMs = 2600;
  const late: ServerOptionsInput = { bodyMinRate: 10_000_000, socketTimeout: '1s' };
  /** An application that reads its body when told to. */
  function readsLater(): { app: App; read: () => void } {
    let read = () => {};
    const told = new Promise<void>((resolve) => {
      read = resolve;
    });
    return {
      app: async (env, startResponse) => {
        await told;
        return echo(env, startResponse);
      },
      read,
    };
  }

  it('when the application does not read it', async () => {
    const { app, read } = readsLater();
    await serve(app, late, async (scene) => {
      const body = 'x'.repeat(1_000_000);
      const client = await scene.connect();
      client.send(post(body), 'POST');
      await isBegun(scene);
      await scene.time.flow(lateMs);
      read();
      expect(text(await client.response())).to.equal(body);
    })();
  });

  it('when the client waits for 100 Continue, as it should', async () => {
    const { app, read } = readsLater();
    await serve(app, late, async (scene) => {
      const client = await scene.connect();
      client.send(head(5, 'Expect: 100-continue\r\n'), 'POST');
      await isBegun(scene);
      await scene.time.flow(lateMs);
      expect(client.received).to.equal('');
      read();
      await client.bytes('HTTP/1.1 100'.length);
      client.socket.write('abcde');
      expect(text(await client.response())).to.equal('abcde');
    })();
  });

  it(
    'when 100 Continue was sent and the body does not come, but for socketTimeout',
    serve(echo, { ...late, bodyMinRate: 0 }, async (scene) => {
      const client = await scene.connect();
      client.send(head(5, 'Expect: 100-continue\r\n'), 'POST');
      await client.bytes('HTTP/1.1 100'.length);
      await scene.time.flow(lateMs);
      expect((await client.response()).status).to.equal(408);
      expect(scene.refusals.map(({ code }) => code)).to.deep.equal(['BODY_TIMEOUT']);
    }),
  );
});
