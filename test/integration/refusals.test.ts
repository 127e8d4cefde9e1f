import { expect } from 'chai';
import type { App } from '../../src/index.ts';
import { header, text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { wsgiHandler } from '../../src/worker/interfaces/wsgi.ts';
import { Service } from '../../src/worker/loop/service.ts';
import { handTime } from '../worker/helpers/hand-time.ts';
import { answer, echo, get, post, scenario, withServer, type Options } from '../worker/helpers/with-server.ts';
import { withService } from '../worker/helpers/with-service.ts';

const hello = answer('hello');
/** Stands in every request that is refused; nothing of it may come back, or get into the log. */
const bad = 'BAD-BYTES';
const chunked = (body: string): string =>
  `POST /${bad} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`;
/** Of a client that goes on whatever the server says. */
const fourMegabytes = Buffer.alloc(4_000_000, bad);

describe('a request that is refused', () => {
  const cases: Array<[why: string, options: Options, request: string, status: number, code: string]> = [
    ['its line is too long', {}, get(`/${bad}${'x'.repeat(8200)}`), 414, 'URI_TOO_LONG'],
    [
      'its line is longer than urlLengthLimit',
      { urlLengthLimit: 100 },
      get(`/${bad}${'x'.repeat(100)}`),
      414,
      'URI_TOO_LONG',
    ],
    ['its header is too large', { maxHead: '1KiB' }, get('/', `X: ${'y'.repeat(1100)}\r\n`), 431, 'HEAD_TOO_LARGE'],
    ['it has too many fields', { maxHeaders: 5 }, get('/', `${bad}: y\r\n`.repeat(6)), 431, 'TOO_MANY_HEADERS'],
    ['its body is too large', { maxBody: 5 }, post('123456'), 413, 'BODY_TOO_LARGE'],
    ['it has no Host', {}, `GET /${bad} HTTP/1.1\r\n\r\n`, 400, 'BAD_HOST'],
    ['its line is none', {}, `${bad}\r\n\r\n`, 400, 'BAD_REQUEST_LINE'],
    ['its target is none', {}, get(bad), 400, 'BAD_TARGET'],
    ['a field of it is none', {}, get('/', `${bad} : x\r\n`), 400, 'BAD_HEADER'],
    ['its length is none', {}, get('/', `Content-Length: ${bad}\r\n`), 400, 'BAD_CONTENT_LENGTH'],
    [
      'it has two framings',
      {},
      get('/', 'Content-Length: 1\r\nTransfer-Encoding: chunked\r\n'),
      400,
      'BAD_TRANSFER_ENCODING',
    ],
    ['its version is unknown', {}, `GET /${bad} HTTP/3.0\r\n\r\n`, 505, 'BAD_VERSION'],
    ['its coding is unknown', {}, get('/', `Transfer-Encoding: ${bad}\r\n`), 501, 'UNKNOWN_TRANSFER_CODING'],
    ['its expectation is unknown', {}, post('x', `Expect: ${bad}\r\n`), 417, 'UNKNOWN_EXPECTATION'],
    ['it holds a NUL', {}, get(`/${bad}\0`), 400, 'BAD_BYTE'],
    [
      'its body has no length for HTTP/1.0',
      { maxHttpVersion: 'HTTP/1.0' },
      chunked('0\r\n\r\n'),
      411,
      'LENGTH_REQUIRED',
    ],
    ['it is for https without TLS', {}, get(`https://a/${bad}`), 421, 'WRONG_SCHEME'],
    ['it is for http with TLS', { tls: true }, get(`http://a/${bad}`), 421, 'WRONG_SCHEME'],
    ['it is for another host', { allowedHosts: ['a.example'] }, get(`/${bad}`), 421, 'WRONG_HOST'],
    ['its head takes too long', { headTimeout: '100ms' }, `GET /${bad} HTTP/1.1\r\nHo`, 408, 'HEAD_TIMEOUT'],
  ];
  for (const [why, options, request, status, code] of cases) {
    it(
      `since ${why} is answered with ${status} in a few plain words, the last of the connection`,
      withServer(hello, options, async ({ connect, server, logged }) => {
        const client = await connect();
        const response = await client.request(request);
        expect(response.status).to.equal(status);
        expect(response.headers.map(([name]) => name)).to.deep.equal([
          'Content-Type',
          'Date',
          'Content-Length',
          'Connection',
        ]);
        expect(header(response, 'connection')).to.equal('close');
        expect(response.body.toString()).to.match(new RegExp(`^${status} [\\w -]+\\n$`));
        expect(await client.closed()).to.equal('fin');
        expect(server.counters.requests).to.equal(0);
        expect(logged('request.refused')).to.have.lengthOf(1);
        expect(logged('request.refused')[0]).to.include({ code, peer: '127.0.0.1' });
        expect(client.received + JSON.stringify(logged('request.refused'))).to.not.include(bad);
      }),
    );

    it(
      `since ${why} is answered with ${status} also while the client sends 4 MB more`,
      withServer(hello, options, async ({ connect }) => {
        const client = await connect();
        client.send(request);
        // A head that is not whole would be made so, or too large.
        if (status === 408) await client.bytes(1);
        client.send(fourMegabytes);
        client.halfClose();
        expect((await client.response()).status).to.equal(status);
        expect(await client.closed()).to.equal('fin');
        expect(client.reader.responses).to.have.lengthOf(1);
      }),
    );
  }

  it(
    'is answered also while the client sends on slowly, for longer than one wait',
    scenario(() => {
      const time = handTime();
      return withService(
        (parts) => new Service({ ...parts, handler: wsgiHandler(hello), time }),
        { maxBody: 5 },
        async ({ connect }) => {
          const client = await connect();
          client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n');
          expect((await client.response()).status).to.equal(413);
          for (let count = 0; count < 20; count += 1) {
            client.send('x');
            await time.flow(500);
          }
          client.halfClose();
          expect(await client.closed()).to.equal('fin');
          expect(client.error).to.equal(undefined);
        },
      );
    }),
  );

  it(
    'in a version below the one asked for is answered in that',
    withServer(hello, { maxHttpVersion: 'HTTP/1.0' }, async ({ connect }) => {
      const { status, version } = await (await connect()).request('GET / HTTP/1.1\r\n\r\n');
      expect([status, version]).to.deep.equal([400, 'HTTP/1.0']);
    }),
  );

  it(
    'in its body, after the application began to read it, is told to the application',
    withServer(echo, {}, async ({ connect, logged }) => {
      const client = await connect();
      const response = await client.request(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcX',
        'POST',
      );
      expect([response.status, header(response, 'connection')]).to.deep.equal([400, 'close']);
      expect(await client.closed()).to.equal('fin');
      expect(logged('request.refused')[0]).to.include({ code: 'BAD_CHUNK', request: 'POST /' });
      expect(logged('app.failed')).to.deep.equal([]);
    }),
  );

  for (const [why, options, body, status] of [
    ['malformed', {}, `3\r\n${bad}`, 400],
    ['over the limit', { maxBody: 5 }, '3\r\nabc\r\n3\r\nabc\r\n', 413],
    ['with a trailer that has no place there', {}, '0\r\nContent-Length: 1\r\n\r\n', 400],
  ] as Array<[string, Options, string, number]>) {
    it(
      `in its body, ${why}, is answered with ${status} also while the client sends 4 MB more`,
      withServer(echo, options, async ({ connect, logged }) => {
        const client = await connect();
        client.send(chunked(body));
        client.send(fourMegabytes);
        client.halfClose();
        expect((await client.response()).status).to.equal(status);
        expect(await client.closed()).to.equal('fin');
        expect(client.received).to.not.include(bad);
        expect(logged('request.refused')).to.have.lengthOf(1);
      }),
    );
  }

  it(
    'in its body, over the limit, is answered with 413',
    withServer(echo, { maxBody: 5 }, async ({ connect }) => {
      const client = await connect();
      expect(
        (
          await client.request(
            'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n',
            'POST',
          )
        ).status,
      ).to.equal(413);
    }),
  );

  for (const [what, rest] of [
    ['malformed', 'X'],
    ['cut short', ''],
  ] as const) {
    it(
      `in its body, ${what}, after it was answered, gets no second answer`,
      withServer(hello, {}, async ({ connect }) => {
        const client = await connect();
        client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab');
        expect((await client.response()).status).to.equal(200);
        client.send(`c${rest}`);
        client.halfClose();
        expect(await client.closed()).to.equal('fin');
        expect(client.reader.responses).to.have.lengthOf(1);
        expect(client.reader.rest).to.have.lengthOf(0);
      }),
    );
  }

  for (const [what, app] of [
    ['does not read its body', hello],
    [
      'takes no notice of what is wrong with its body',
      async (env, startResponse) => {
        await env['wsgi.input'].read().catch(() => {});
        startResponse('200 OK', []);
        return ['hello'];
      },
    ],
    ['passes on what is wrong with its body', echo],
  ] satisfies Array<[string, App]>) {
    it(
      `is logged once when the application ${what}`,
      withServer(app, {}, async ({ connect, logged }) => {
        const client = await connect();
        await client.request(chunked('zz\r\n'), 'POST');
        await client.closed();
        const refusals = logged('request.refused');
        expect(refusals).to.have.lengthOf(1);
        expect(refusals[0]).to.include({ code: 'BAD_CHUNK', peer: '127.0.0.1' });
      }),
    );
  }

  it(
    'shows no stack to its client, also with debug',
    withServer(echo, { debug: true, maxBody: 10 }, async ({ connect }) => {
      const client = await connect();
      const response = await client.request(chunked(`b\r\n${'x'.repeat(11)}\r\n`), 'POST');
      expect([response.status, text(response)]).to.deep.equal([413, '413 Payload Too Large\n']);
    }),
  );

  it(
    'behind a trusted proxy is logged with its client and its id, as far as its head was read',
    withServer(
      echo,
      { trustedProxies: 'loopback', maxBody: 5, logFormat: '%(client_ip)s %(status_code)s %(request_id)s %(host)s' },
      async ({ connect, logged, accessLines }) => {
        const client = await connect();
        const told = 'X-Forwarded-For: 192.0.2.7\r\nX-Request-Id: id-7\r\n';
        await client.request(post('123456', told), 'POST');
        await waitFor('the line', () => accessLines.length === 1);
        expect(accessLines[0]).to.equal('192.0.2.7 413 id-7 test');
        expect(logged('request.refused')[0]).to.include({
          code: 'BODY_TOO_LARGE',
          peer: '192.0.2.7',
          requestId: 'id-7',
        });
      },
    ),
  );
});

describe('a request that takes too long', () => {
  it(
    'in its body is answered with 408 by way of the application',
    withServer(echo, { socketTimeout: '100ms' }, async ({ connect, logged }) => {
      const client = await connect();
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab');
      expect((await client.response()).status).to.equal(408);
      expect(await client.closed()).to.equal('fin');
      expect(logged('request.refused').map(({ code }) => code)).to.include('BODY_TIMEOUT');
    }),
  );

  it(
    'in a body that nobody reads, after the answer, only ends the connection',
    withServer(hello, { socketTimeout: '100ms' }, async ({ connect }) => {
      const client = await connect();
      client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab');
      await client.response();
      expect(await client.closed()).to.equal('fin');
      expect(client.reader.responses).to.have.lengthOf(1);
    }),
  );

  it(
    'to be answered by the application is no fault of the client',
    withServer(
      async (env, startResponse) => {
        await new Promise((resolve) => setTimeout(resolve, 1600)); // longer than every time-out and the clock's two ticks
        return hello(env, startResponse);
      },
      { headTimeout: '100ms', socketTimeout: '100ms', keepalive: '100ms' },
      async ({ connect }) => {
        expect((await (await connect()).request(get())).status).to.equal(200);
      },
    ),
  );

  for (const [name, headers] of [
    ['a connection that is kept', ''],
    ['the last response of a connection', 'Connection: close\r\n'],
  ] as const) {
    it(
      `to take its answer loses ${name}`,
      withServer(
        async (_env, startResponse) => {
          await Promise.resolve();
          startResponse('200 OK', []);
          return [Buffer.alloc(20_000_000)];
        },
        { socketTimeout: '100ms', logFormat: '%(body_length)s' },
        async ({ connect, server, rest, accessLines }) => {
          const client = await connect();
          client.pause();
          client.send(get('/', headers));
          await rest();
          expect(server.counters.requests).to.equal(1);
          await waitFor('the access line', () => accessLines.length > 0);
          expect(Number(accessLines[0])).to.be.below(20_000_000);
        },
      ),
    );
  }
});
