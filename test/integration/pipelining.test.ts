import { expect } from 'chai';
import { text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import type { App } from '../../src/index.ts';
import { answer, deferred, echo, get, post, withServer } from '../worker/helpers/with-server.ts';

const path: App = answer((env) => env.PATH_INFO);

/** Answers '/slow' only when `gate` opens. */
function slowApp() {
  const gate = deferred();
  const app: App = async (env, startResponse) => {
    if (env.PATH_INFO === '/slow') await gate.promise;
    startResponse('200 OK', []);
    return [env.PATH_INFO];
  };
  return { gate, app };
}

describe('pipelined requests', () => {
  it(
    'are answered in order, in one packet',
    withServer(path, {}, async ({ connect }) => {
      const client = await connect();
      const sizes: number[] = [];
      client.socket.on('data', (bytes: Buffer) => sizes.push(bytes.length));
      client.send(Array.from({ length: 20 }, (_, index) => get(`/${index}`)).join(''));
      const responses = await client.responses(20);
      expect(responses.map(text)).to.deep.equal(Array.from({ length: 20 }, (_, index) => `/${index}`));
      expect(sizes).to.have.lengthOf(1);
    }),
  );

  it('wait for the slow one before them', async () => {
    const { gate, app } = slowApp();
    await withServer(app, {}, async ({ connect, server }) => {
      const client = await connect();
      client.send(get('/slow') + get('/fast'));
      await waitFor('the first request', () => server.counters.requests === 1);
      gate.resolve();
      expect((await client.responses(2)).map(text)).to.deep.equal(['/slow', '/fast']);
      expect(server.counters.requests).to.equal(2);
    })();
  });

  it(
    'may have bodies, read or not',
    withServer(
      (env, startResponse) => (env.PATH_INFO === '/read' ? echo : path)(env, startResponse),
      {},
      async ({ connect }) => {
        const client = await connect();
        client.send(post('one', '', '/read') + post('two', '', '/unread') + post('three', '', '/read') + get('/end'));
        expect((await client.responses(4)).map(text)).to.deep.equal(['one', '/unread', 'three', '/end']);
      },
    ),
  );

  it(
    'may have chunked bodies that nobody reads',
    withServer(path, {}, async ({ connect }) => {
      const client = await connect();
      const chunked = 'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: u\r\n\r\n';
      client.send(chunked + chunked + get('/end'));
      expect((await client.responses(3)).map(text)).to.deep.equal(['/a', '/a', '/end']);
    }),
  );

  it(
    'after a request with Connection: close are not answered',
    withServer(path, {}, async ({ connect, server }) => {
      const client = await connect();
      client.send(get('/1') + get('/2', 'Connection: close\r\n') + get('/3'));
      expect((await client.responses(2)).map(text)).to.deep.equal(['/1', '/2']);
      expect(await client.closed()).to.equal('fin');
      expect(server.counters.requests).to.equal(2);
    }),
  );

  it(
    'are not read on while the client takes no answers',
    withServer(answer('x'.repeat(50_000)), {}, async ({ connect, server }) => {
      const client = await connect();
      client.pause();
      const many = 2000;
      client.send(get('/').repeat(many));
      // What fits into the buffers of both kernels is answered; then the count stands still, far from all of them.
      let before = -1;
      await waitFor(
        'a standstill',
        () => {
          const { requests } = server.counters;
          const stands = requests > 0 && requests === before;
          before = requests;
          return stands;
        },
        { everyMs: 200 },
      );
      expect(server.counters.requests).to.be.below(many);
      client.resume();
      const responses = await client.responses(many);
      expect(responses.every(({ body }) => body.length === 50_000)).to.equal(true);
    }),
  );

  for (const pipelineDepth of [1, 5, undefined]) {
    const most = pipelineDepth ?? 64;
    it(`are begun while at most ${most} answers wait to be taken`, async () => {
      let waiting = 0;
      let mostWaiting = 0;
      const app: App = (env, startResponse) => {
        waiting += 1;
        mostWaiting = Math.max(mostWaiting, waiting);
        env['evy.posthooks'].push([() => (waiting -= 1), [], {}]);
        startResponse('200 OK', []);
        return [env.PATH_INFO];
      };
      await withServer(app, pipelineDepth === undefined ? {} : { pipelineDepth }, async ({ connect }) => {
        const client = await connect();
        const paths = Array.from({ length: 500 }, (_, index) => `/${index}`);
        client.send(paths.map((one) => get(one)).join(''));
        expect((await client.responses(500)).map(text)).to.deep.equal(paths);
        expect(mostWaiting).to.equal(most);
      })();
    });
  }

  it(
    'that ask for 100 Continue are answered each in its place',
    withServer(echo, {}, async ({ connect }) => {
      const client = await connect();
      const expecting = (body: string) => post(body, 'Expect: 100-continue\r\n');
      client.send(get('/') + expecting('one') + expecting('two'));
      const responses = await client.responses(3);
      expect(responses.map(text)).to.deep.equal(['', 'one', 'two']);
      expect(responses.flatMap(({ interim }) => interim)).to.deep.equal([]);
    }),
  );
});
