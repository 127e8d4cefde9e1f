import { createHash, randomBytes } from 'node:crypto';
import { expect } from 'chai';
import type { App } from '../../src/index.ts';
import { header, text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { answer, deferred, echo, get, post, withServer } from '../worker/helpers/with-server.ts';

const hello = answer('hello');

describe('a request body', () => {
  it(
    'arrives whole whatever its size and pieces',
    withServer(
      async (env, startResponse) => {
        const hash = createHash('sha256');
        for await (const part of env['wsgi.input']) hash.update(part);
        startResponse('200 OK', []);
        return [hash.digest('hex')];
      },
      {},
      async ({ connect }) => {
        const body = randomBytes(3_000_000);
        const client = await connect();
        client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n`);
        client.socket.write(body);
        expect(text(await client.response())).to.equal(createHash('sha256').update(body).digest('hex'));
      },
    ),
  );

  it(
    'may be chunked',
    withServer(echo, {}, async ({ connect }) => {
      const client = await connect();
      client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab');
      client.send('c\r\nA;ext="x"\r\n0123456789\r\n0\r\n\r\n');
      expect(text(await client.response())).to.equal('abc0123456789');
    }),
  );

  it('is not read from the client faster than the application reads it', async () => {
    const gate = deferred();
    const app: App = async (env, startResponse) => {
      await gate.promise;
      const body = await env['wsgi.input'].read();
      startResponse('200 OK', []);
      return [String(body.length)];
    };
    await withServer(app, {}, async ({ connect }) => {
      const client = await connect();
      const size = 50_000_000;
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
      client.socket.write(Buffer.alloc(size));
      let before = -1;
      await waitFor(
        'a standstill',
        () => {
          const left = client.socket.writableLength;
          const stands = left === before;
          before = left;
          return stands;
        },
        { everyMs: 200 },
      );
      expect(client.socket.writableLength).to.be.above(0);
      gate.resolve();
      expect(text(await client.response())).to.equal(String(size));
    })();
  });

  it(
    'that nobody reads is thrown away when it is small, and the connection is kept',
    withServer(hello, {}, async ({ connect }) => {
      const client = await connect();
      const response = await client.request(post('x'.repeat(60_000)), 'POST');
      expect(header(response, 'connection')).to.equal(undefined);
      expect(text(await client.request(get()))).to.equal('hello');
    }),
  );

  it(
    'that nobody reads and that comes late is thrown away all the same',
    withServer(hello, {}, async ({ connect }) => {
      const client = await connect();
      const body = 'x'.repeat(1000);
      const response = await client.request(post(body).slice(0, -body.length), 'POST');
      expect(header(response, 'connection')).to.equal(undefined);
      client.send(body.slice(0, 500));
      client.send(body.slice(500) + get());
      expect(text(await client.response())).to.equal('hello');
    }),
  );

  it(
    'that nobody reads ends the connection in order when it is large',
    withServer(answer('y'.repeat(1_000_000)), {}, async ({ connect }) => {
      const client = await connect();
      const size = 3_000_000;
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${size}\r\n\r\n`);
      client.socket.write(Buffer.alloc(size));
      const response = await client.response();
      expect([response.body.length, header(response, 'connection')]).to.deep.equal([1_000_000, 'close']);
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'that nobody reads and whose length is not known is given up at some size, in order',
    withServer(answer('y'.repeat(1_000_000)), {}, async ({ connect }) => {
      const client = await connect();
      client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let times = 0; times < 100; times += 1) client.send(`2710\r\n${'x'.repeat(10_000)}\r\n`);
      const response = await client.response();
      expect(response.body).to.have.lengthOf(1_000_000);
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'that nobody reads is thrown away up to maxDiscard, and past it ends the connection in order',
    withServer(hello, { maxDiscard: 1000 }, async ({ connect }) => {
      const client = await connect();
      // The bodies come later than their answers: one that has come already costs nothing.
      const kept = await client.request(post('x'.repeat(1000)).slice(0, -1000), 'POST');
      expect(header(kept, 'connection')).to.equal(undefined);
      client.send('x'.repeat(1000));
      const last = await client.request(post('x'.repeat(1001)).slice(0, -1001), 'POST');
      expect([text(last), header(last, 'connection')]).to.deep.equal(['hello', 'close']);
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'of unknown length that nobody reads is thrown away up to maxDiscard, and past it ends the connection in order',
    withServer(hello, { maxDiscard: 1000 }, async ({ connect }) => {
      const client = await connect();
      client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      expect(header(await client.response(), 'connection')).to.equal(undefined);
      client.send(`3e8\r\n${'x'.repeat(1000)}\r\n0\r\n\r\n${get()}`);
      expect(text(await client.response())).to.equal('hello');
      client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
      await client.response();
      client.send(`3e9\r\n${'x'.repeat(1001)}\r\n`);
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'that nobody reads ends the connection with maxDiscard 0, and a request without body keeps it',
    withServer(hello, { maxDiscard: 0 }, async ({ connect }) => {
      const client = await connect();
      expect(header(await client.request(get()), 'connection')).to.equal(undefined);
      expect(header(await client.request(post('x').slice(0, -1), 'POST'), 'connection')).to.equal('close');
      expect(await client.closed()).to.equal('fin');
    }),
  );

  it(
    'that was read in part leaves the rest to be thrown away',
    withServer(
      async (env, startResponse) => {
        const part = await env['wsgi.input'].read(3);
        startResponse('200 OK', []);
        return [part];
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        client.send(post('abcdef') + post('ghijkl'));
        expect((await client.responses(2)).map(text)).to.deep.equal(['abc', 'ghi']);
      },
    ),
  );

  it(
    'may be read while the response is being sent',
    withServer(
      (env, startResponse) => {
        startResponse('200 OK', []);
        return env['wsgi.input'];
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
        await waitFor('the first part', () => client.received.endsWith('3\r\nabc\r\n'));
        client.send('3\r\ndef\r\n0\r\n\r\n');
        expect(text(await client.response())).to.equal('abcdef');
        expect(text(await client.request(post('x')))).to.equal('x');
      },
    ),
  );
});

describe('a response that the client takes slowly', () => {
  for (const isAsync of [false, true]) {
    it(`holds its ${isAsync ? 'async ' : ''}iterator back, and comes whole in the end`, async () => {
      const total = 2000;
      let pieces = 0;
      const piece = Buffer.alloc(20_000);
      const app: App = (_env, startResponse) => {
        startResponse('200 OK', []);
        return isAsync
          ? (async function* () {
              for (; pieces < total; pieces += 1) yield piece;
            })()
          : (function* () {
              for (; pieces < total; pieces += 1) yield piece;
            })();
      };
      await withServer(app, {}, async ({ connect }) => {
        const client = await connect();
        client.pause();
        client.send(get());
        let before = -1;
        await waitFor(
          'a standstill',
          () => {
            const stands = pieces > 0 && pieces === before;
            before = pieces;
            return stands;
          },
          { everyMs: 200 },
        );
        expect(pieces).to.be.below(total / 2);
        client.resume();
        expect((await client.response()).body).to.have.lengthOf(total * piece.length);
      })();
    });
  }

  it('makes write() wait', async () => {
    let writes = 0;
    const app: App = async (env, startResponse) => {
      const write = startResponse('200 OK', []);
      for (; writes < 1000 && !env['evy.signal'].aborted; writes += 1) await write(Buffer.alloc(50_000));
      return [];
    };
    await withServer(app, {}, async ({ connect }) => {
      const client = await connect();
      client.pause();
      client.send(get());
      let before = -1;
      await waitFor(
        'a standstill',
        () => {
          const stands = writes > 0 && writes === before;
          before = writes;
          return stands;
        },
        { everyMs: 200 },
      );
      expect(writes).to.be.below(500);
      client.resume();
      expect((await client.response()).body).to.have.lengthOf(50_000_000);
    })();
  });
});
