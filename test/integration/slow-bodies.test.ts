import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { onEnd } from '../helpers/cleanup.ts';
import type { RawClient } from '../helpers/raw-client.ts';
import { text } from '../helpers/response-reader.ts';
import type { App } from '../../src/index.ts';
import { Service } from '../../src/worker/loop/service.ts';
import { fetchHandler } from '../../src/worker/interfaces/fetch.ts';
import { withService } from '../worker/helpers/with-service.ts';
import { answer, echo, post, withServer } from '../worker/helpers/with-server.ts';

const hello = answer('hello');
const head = (size: number, headers = '') => `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n${headers}\r\n`;

/** Sends a piece every 50 ms until the test is over or the connection is. */
function drip(client: RawClient, piece: string): void {
  const timer = setInterval(() => client.socket.writable && client.socket.write(piece), 50);
  const stop = () => clearInterval(timer);
  client.socket.on('error', stop).on('close', stop);
  onEnd(stop);
}

// In all of these the client sends more often than socketTimeout asks for: only its pace can be at fault.
describe('a body that comes more slowly than bodyMinRate', () => {
  it(
    'is refused with 408 by way of the application',
    withServer(echo, { bodyMinRate: 1000, socketTimeout: '1s' }, async ({ connect, logged }) => {
      const client = await connect();
      client.send(head(100_000));
      drip(client, 'x');
      expect((await client.response()).status).to.equal(408);
      expect(await client.closed()).to.equal('fin');
      expect(logged('request.refused').map(({ code }) => code)).to.deep.equal(['BODY_TOO_SLOW']);
    }),
  );

  it(
    'is refused though it began with a lot at once',
    withServer(echo, { bodyMinRate: 1000, socketTimeout: '1s' }, async ({ connect, logged }) => {
      const client = await connect();
      client.send(head(1_000_000) + 'x'.repeat(500_000));
      drip(client, 'x');
      expect((await client.response()).status).to.equal(408);
      expect(logged('request.refused').map(({ code }) => code)).to.deep.equal(['BODY_TOO_SLOW']);
    }),
  );

  it(
    'and is chunked, a byte a chunk, is refused with 408',
    withServer(echo, { bodyMinRate: 1000, socketTimeout: '1s' }, async ({ connect, logged }) => {
      const client = await connect();
      client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      drip(client, '1\r\nx\r\n');
      expect((await client.response()).status).to.equal(408);
      expect(logged('request.refused').map(({ code }) => code)).to.deep.equal(['BODY_TOO_SLOW']);
    }),
  );

  it(
    'and that nobody reads only ends the connection after the answer',
    withServer(hello, { bodyMinRate: 1000, socketTimeout: '1s' }, async ({ connect }) => {
      const client = await connect();
      client.send(head(10_000));
      drip(client, 'x');
      expect((await client.response()).status).to.equal(200);
      expect(await client.closed()).to.equal('fin');
      expect(client.reader.responses).to.have.lengthOf(1);
    }),
  );

  it(
    'is refused with 408 on the fetch interface, too',
    withService(
      (parts) =>
        new Service({
          ...parts,
          handler: fetchHandler({ fetch: async (request) => new Response(await request.text()) }),
        }),
      { bodyMinRate: 1000, socketTimeout: '1s' },
      async ({ connect }) => {
        const client = await connect();
        client.send(head(100_000));
        drip(client, 'x');
        expect((await client.response()).status).to.equal(408);
        expect(await client.closed()).to.equal('fin');
      },
    ),
  );

  it(
    'is taken when the rate is 0',
    withServer(echo, { bodyMinRate: 0, socketTimeout: '1s' }, async ({ connect }) => {
      const client = await connect();
      client.send(head(60));
      drip(client, 'x');
      expect(text(await client.response())).to.equal('x'.repeat(60));
    }),
  );
});

describe('a body is not too slow', () => {
  it(
    'when it keeps to the rate',
    withServer(echo, { bodyMinRate: 100, socketTimeout: '1s' }, async ({ connect }) => {
      const client = await connect();
      client.send(head(6000));
      drip(client, 'x'.repeat(100)); // for three seconds, twenty times the rate: room for a slow day
      expect(text(await client.response())).to.equal('x'.repeat(6000));
    }),
  );

  /** Longer than the time-outs and the clock's two ticks. */
  const lateMs = 2600;
  const late: App = async (env, startResponse) => {
    await sleep(lateMs);
    return echo(env, startResponse);
  };

  it(
    'when the application does not read it',
    withServer(late, { bodyMinRate: 10_000_000, socketTimeout: '1s' }, async ({ connect }) => {
      const body = 'x'.repeat(1_000_000);
      expect(text(await (await connect()).request(post(body), 'POST'))).to.equal(body);
    }),
  );

  it(
    'when the client waits for 100 Continue, as it should',
    withServer(late, { bodyMinRate: 10_000, socketTimeout: '1s' }, async ({ connect }) => {
      const client = await connect();
      client.send(head(5, 'Expect: 100-continue\r\n'), 'POST');
      await client.bytes('HTTP/1.1 100'.length);
      client.socket.write('abcde');
      expect(text(await client.response())).to.equal('abcde');
    }),
  );

  it(
    'when 100 Continue was sent and the body does not come, but for socketTimeout',
    withServer(echo, { bodyMinRate: 0, socketTimeout: '100ms' }, async ({ connect, logged }) => {
      const client = await connect();
      client.send(head(5, 'Expect: 100-continue\r\n'), 'POST');
      expect((await client.response()).status).to.equal(408);
      expect(logged('request.refused').map(({ code }) => code)).to.deep.equal(['BODY_TIMEOUT']);
    }),
  );
});
