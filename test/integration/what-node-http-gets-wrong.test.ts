/** What node:http gets wrong by the letter of RFC 9112 and 9110, and evy does not: each a test by its name. */
import { expect } from 'chai';
import { announcesClose, header, text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import type { App } from '../../src/index.ts';
import { answer, deferred, get, withServer } from '../worker/helpers/with-server.ts';

const path: App = answer((env) => `${env.REQUEST_METHOD} ${env.PATH_INFO}`);

/** The request is refused: one answer with this status, in order, and the connection ends. */
const refuses = (request: string, status: number, code: string) =>
  withServer(path, {}, async ({ connect, server, logged }) => {
    const client = await connect();
    const response = await client.request(request);
    expect([response.status, announcesClose(response)]).to.deep.equal([status, true]);
    expect(await client.closed()).to.equal('fin');
    expect(client.reader.responses).to.have.lengthOf(1);
    expect(server.counters.requests).to.equal(0);
    expect(logged('request.refused').map((line) => line['code'])).to.deep.equal([code]);
  });

describe('what node:http gets wrong', () => {
  for (const [what, fields] of [
    ['repeated Host', 'Host: a.example\r\nHost: b.example\r\n'],
    ['repeated Host, twice the same', 'Host: a.example\r\nHost: a.example\r\n'],
    ['empty Host', 'Host:\r\n'],
    ['empty Host behind a good one', 'Host: a.example\r\nHost:\r\n'],
    ['malformed Host: a path', 'Host: a.example/b\r\n'],
    ['malformed Host: user information', 'Host: u@a.example\r\n'],
    ['malformed Host: a list', 'Host: a.example, b.example\r\n'],
    ['malformed Host: a port that is none', 'Host: a.example:b\r\n'],
    ['malformed Host: half an IPv6 address', 'Host: [::1\r\n'],
    ['malformed Host: an IPv6 zone', 'Host: [fe80::1%25eth0]\r\n'],
  ] as const) {
    it(`${what} is refused with 400`, refuses(`GET / HTTP/1.1\r\n${fields}\r\n`, 400, 'BAD_HOST'));
  }

  for (const [what, fields] of [
    ['a 1.0 request', 'Transfer-Encoding: chunked\r\n'],
    ['a 1.0 request with Content-Length', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
    ['a 1.0 request that asks to be kept', 'Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n'],
  ] as const) {
    it(
      `Transfer-Encoding in ${what} is refused with 400`,
      refuses(`POST / HTTP/1.0\r\n${fields}\r\n0\r\n\r\n`, 400, 'BAD_TRANSFER_ENCODING'),
    );
  }

  for (const fields of [
    'Connection: keep-alive, close\r\n',
    'Connection: close, keep-alive\r\n',
    'Connection: keep-alive\r\nConnection: close\r\n',
  ]) {
    it(
      `${fields.trim().replace('\r\n', ' and ')} closes`,
      withServer(path, {}, async ({ connect, server }) => {
        const client = await connect();
        client.send(get('/1', fields) + get('/2'));
        const response = await client.response();
        expect([text(response), announcesClose(response)]).to.deep.equal(['GET /1', true]);
        expect(await client.closed()).to.equal('fin');
        expect(server.counters.requests).to.equal(1);
      }),
    );
  }

  it(
    'a bad request behind good pipelined ones: those are answered first, in order, then comes the 400 with Date and close',
    withServer(path, {}, async ({ connect, logged }) => {
      const client = await connect();
      client.send(`${get('/1')}${get('/2')}GET /3 HTTP/1.1\r\nHost : a\r\n\r\n${get('/4')}`);
      const responses = await client.responses(3);
      expect(responses.map(({ status }) => status)).to.deep.equal([200, 200, 400]);
      expect(responses.slice(0, 2).map(text)).to.deep.equal(['GET /1', 'GET /2']);
      expect(header(responses[2]!, 'date')).to.not.equal(undefined);
      expect(header(responses[2]!, 'connection')).to.equal('close');
      expect(await client.closed()).to.equal('fin');
      expect(client.reader.responses).to.have.lengthOf(3);
      expect(logged('request.refused')).to.have.lengthOf(1);
    }),
  );

  it('a bad request behind a good one that is slow waits for its answer', async () => {
    const gate = deferred();
    const slow: App = async (env, startResponse) => {
      await gate.promise;
      return path(env, startResponse);
    };
    await withServer(slow, {}, async ({ connect, server }) => {
      const client = await connect();
      client.send(`${get('/slow')}\0bad`);
      await waitFor('the request', () => server.counters.requests === 1);
      gate.resolve();
      expect((await client.responses(2)).map(({ status }) => status)).to.deep.equal([200, 400]);
      expect(await client.closed()).to.equal('fin');
    })();
  });

  for (const [what, first, answered] of [
    ['are the next request', get('/1', 'Connection: Upgrade\r\nUpgrade: websocket\r\n'), 'GET /1'],
    ['are the next request, also for h2c', get('/1', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'), 'GET /1'],
    [
      'are the body and then the next request',
      get('/1', 'Connection: Upgrade\r\nUpgrade: x\r\nContent-Length: 3\r\n', 'POST') + 'abc',
      'POST /1',
    ],
  ] as const) {
    it(
      `bytes after an ignored Upgrade ${what}`,
      withServer(path, {}, async ({ connect }) => {
        const client = await connect();
        client.send(first + get('/2'));
        expect((await client.responses(2)).map(text)).to.deep.equal([answered, 'GET /2']);
      }),
    );
  }

  for (const [what, length] of [
    ['longer than urlLengthLimit', 8200],
    ['longer than all that a head may have', 200_000],
  ] as const) {
    it(
      `a target that is ${what} is refused with 414, not 431`,
      refuses(get(`/${'x'.repeat(length)}`), 414, 'URI_TOO_LONG'),
    );
  }

  it(
    'a client that shuts down its sending side after its requests still gets every answer',
    withServer(
      async (env, startResponse) => {
        await new Promise((resolve) => setImmediate(resolve));
        startResponse('200 OK', []);
        return [env.PATH_INFO];
      },
      {},
      async ({ connect }) => {
        const client = await connect();
        client.send(get('/1') + get('/2') + get('/3'));
        client.halfClose();
        const responses = await client.responses(3);
        expect(responses.map(text)).to.deep.equal(['/1', '/2', '/3']);
        expect(responses.map(announcesClose)).to.deep.equal([false, false, true]);
        expect(await client.closed()).to.equal('fin');
      },
    ),
  );

  for (const method of ['BREW', 'get', 'M-SEARCH', 'PRI', '0', "!#$%&'*+-.^_`|~aZ9"]) {
    it(
      `the method ${method} is a token and reaches the application`,
      withServer(path, {}, async ({ connect }) => {
        const client = await connect();
        expect(text(await client.request(get('/a', '', method)))).to.equal(`${method} /a`);
        expect(text(await client.request(get('/b')))).to.equal('GET /b');
      }),
    );
  }
});
