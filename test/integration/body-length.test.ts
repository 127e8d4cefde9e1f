import { expect } from 'chai';
import type { App, Environ } from '../../src/index.ts';
import { header, text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { get, scenario, withServer } from '../worker/helpers/with-server.ts';

const withLength =
  (length: number, body: () => ReturnType<App>): App =>
  (_env, startResponse) => {
    startResponse('200 OK', [['Content-Length', String(length)]]);
    return body();
  };
const pieces = (...parts: string[]) => new Set(parts);

describe('a body', () => {
  const kinds: Array<[name: string, body: () => ReturnType<App>, framing: string, expected?: string]> = [
    ['an array', () => ['ab', 'cd'], 'length'],
    ['an empty array', () => [], 'length', ''],
    ['an array of bytes and text', () => ['a', new Uint8Array([98]), Buffer.from('cd')], 'length'],
    ['a promise of an array', async () => ['abcd'], 'length'],
    ['a bare string', () => 'abcd', 'length'],
    ['a bare Uint8Array', () => new Uint8Array([97, 98, 99, 100]), 'length'],
    ['a bare Buffer', () => Buffer.from('abcd'), 'length'],
    [
      'a generator',
      () =>
        (function* () {
          yield 'ab';
          yield '';
          yield Buffer.from('cd');
        })(),
      'chunked',
    ],
    [
      'an async generator',
      () =>
        (async function* () {
          yield 'ab';
          yield new Uint8Array(0);
          yield 'cd';
        })(),
      'chunked',
    ],
    [
      'a generator of nothing',
      () =>
        (function* () {
          yield '';
        })(),
      'length',
      '',
    ],
  ];
  for (const [name, body, framing, expected = 'abcd'] of kinds) {
    it(
      `may be ${name}`,
      withServer(
        (_env, startResponse) => {
          startResponse('200 OK', []);
          return body();
        },
        {},
        async ({ connect }) => {
          const response = await (await connect()).request(get());
          expect([text(response), response.framing]).to.deep.equal([expected, framing]);
          expect(header(response, 'content-length')).to.equal(
            framing === 'length' ? String(expected.length) : undefined,
          );
        },
      ),
    );
  }

  it(
    'is sent as UTF-8',
    withServer(
      (_env, startResponse) => {
        startResponse('200 OK', []);
        return ['ä€😀'];
      },
      {},
      async ({ connect }) => {
        const response = await (await connect()).request(get());
        expect([text(response), header(response, 'content-length')]).to.deep.equal(['ä€😀', '9']);
      },
    ),
  );

  it(
    'of a generator is one chunk a piece',
    withServer(
      (_env, startResponse) => {
        startResponse('200 OK', []);
        return pieces('a', 'bc', 'ä');
      },
      {},
      async ({ connect }) => {
        expect((await (await connect()).request(get())).chunks).to.deep.equal([1, 2, 2]);
      },
    ),
  );

  it(
    'is collected into chunks of minimumChunkSize',
    withServer(
      (_env, startResponse) => {
        startResponse('200 OK', []);
        return pieces('ab', 'cd', 'ef', 'gh', 'i');
      },
      { minimumChunkSize: 4 },
      async ({ connect }) => {
        const response = await (await connect()).request(get());
        expect([text(response), response.chunks]).to.deep.equal(['abcdefghi', [4, 4, 1]]);
      },
    ),
  );

  it(
    'that is shorter than its Content-Length ends the connection and is logged',
    withServer(
      withLength(5, () => pieces('abc')),
      {},
      async ({ connect, logged }) => {
        const client = await connect();
        client.send(get() + get());
        await client.closed();
        expect(client.received.endsWith('\r\n\r\nabc')).to.equal(true);
        expect(logged('app.failed')).to.have.lengthOf(1);
        expect(logged('app.failed')[0]).to.include({ code: 'APP_SHORT_BODY', missingBytes: 2, request: 'GET /' });
      },
    ),
  );

  for (const [name, body] of [
    ['an array', () => ['abc', 'def']],
    ['a generator', () => pieces('abc', 'def', 'ghi')],
  ] as Array<[string, () => ReturnType<App>]>) {
    it(
      `in ${name} that is longer than its Content-Length is cut there and logged once, and the connection goes on`,
      withServer(withLength(4, body), {}, async ({ connect, logged }) => {
        const client = await connect();
        client.send(get() + get());
        const responses = await client.responses(2);
        expect(responses.map(text)).to.deep.equal(['abcd', 'abcd']);
        expect(client.reader.rest).to.have.lengthOf(0);
        expect(logged('app.failed').map(({ code }) => code)).to.deep.equal(['APP_LONG_BODY', 'APP_LONG_BODY']);
      }),
    );
  }

  it(
    'without end is left once Content-Length is reached',
    scenario(() => {
      let returned = 0;
      const app = withLength(4, () =>
        (function* () {
          try {
            for (;;) yield 'abc';
          } finally {
            returned += 1;
          }
        })(),
      );
      return withServer(app, {}, async ({ connect }) => {
        expect(text(await (await connect()).request(get()))).to.equal('abca');
        await waitFor('return()', () => returned === 1);
      });
    }),
  );

  it(
    'may be written with write(), before and after what is returned',
    withServer(
      async (_env, startResponse) => {
        const write = startResponse('200 OK', []);
        await write('a');
        await write(Buffer.from('b'));
        return ['c', 'd'];
      },
      {},
      async ({ connect }) => {
        const response = await (await connect()).request(get());
        expect([text(response), response.framing]).to.deep.equal(['abcd', 'chunked']);
      },
    ),
  );

  it(
    'is not lengthened by a write() that comes after its end',
    scenario(() => {
      let late: Promise<unknown> | undefined;
      const app: App = (_env, startResponse) => {
        const write = startResponse('200 OK', []);
        late = Promise.resolve().then(() => write('late'));
        return ['x'.repeat(300_000)];
      };
      return withServer(app, {}, async ({ connect }) => {
        const client = await connect();
        client.send(get() + get());
        const responses = await client.responses(2);
        expect(responses.map(({ body }) => body.length)).to.deep.equal([300_000, 300_000]);
        await late;
        expect(client.reader.isBetween).to.equal(true);
      });
    }),
  );
});

describe('a response without a body', () => {
  const big: App = (env: Environ, startResponse) => {
    startResponse(env.PATH_INFO.slice(1).replaceAll('-', ' '), [['ETag', '"x"']]);
    return env.QUERY_STRING === 'iterator'
      ? (function* () {
          for (;;) yield 'abc';
        })()
      : ['abc'];
  };
  const cases: Array<[path: string, method: string, length: string | undefined, coding: string | undefined]> = [
    ['/200-OK', 'HEAD', '3', undefined],
    ['/200-OK?iterator', 'HEAD', undefined, 'chunked'],
    ['/204-No-Content', 'GET', undefined, undefined],
    ['/204-No-Content?iterator', 'GET', undefined, undefined],
    ['/304-Not-Modified', 'GET', undefined, undefined],
    ['/304-Not-Modified', 'HEAD', undefined, undefined],
  ];
  for (const [path, method, length, coding] of cases) {
    it(
      `is that of ${method} ${path}, and the next one follows`,
      withServer(big, {}, async ({ connect, logged }) => {
        const client = await connect();
        client.send(get(path, '', method), method);
        client.send(get('/200-OK'));
        const [first, second] = await client.responses(2);
        expect(first!.body).to.have.lengthOf(0);
        expect([
          header(first!, 'content-length'),
          header(first!, 'transfer-encoding'),
          header(first!, 'etag'),
        ]).to.deep.equal([length, coding, '"x"']);
        expect(text(second!)).to.equal('abc');
        expect(logged('app.failed')).to.deep.equal([]);
      }),
    );
  }
});

describe('an answer of 2xx to CONNECT', () => {
  const app: App = (env: Environ, startResponse) => {
    startResponse('200 OK', []);
    return env['HTTP_X_KIND'] === 'array' ? ['abc', 'def'] : ['abc', 'def'].values();
  };
  for (const kind of ['array', 'iterator']) {
    it(
      `is told no length, and what follows it is whatever the application sends: ${kind}`,
      withServer(app, {}, async ({ connect }) => {
        const client = await connect();
        client.send(`CONNECT a:1 HTTP/1.1\r\nHost: a\r\nX-Kind: ${kind}\r\n\r\n`);
        expect(await client.closed()).to.equal('fin');
        expect(client.received).to.match(/^HTTP\/1\.1 200 OK\r\n/);
        expect(client.received).not.to.match(/content-length|transfer-encoding/i);
        expect(client.received.endsWith('\r\n\r\nabcdef')).to.equal(true);
      }),
    );
  }
});
