import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'chai';
import { listen, wrapSsl, wsgi, type EvyError } from '../../src/index.ts';
import { certfile, keyfile, otherKeyfile, trusted } from '../helpers/certificates.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { tempFolder } from '../helpers/files.ts';
import { connect as connectTo } from '../helpers/raw-client.ts';
import { header, text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { answer, deferred, get, post, scenario, withServer } from '../worker/helpers/with-server.ts';

const hello = answer('hello');
const quiet: wsgi.ServerOptions = { logOutput: false };

async function codeOf(server: wsgi.RunningServer): Promise<string | undefined> {
  const codes = await Promise.all(
    [server, server.ready].map(async (promise) =>
      promise.then(
        () => undefined,
        (error: unknown) => {
          // By name: what is imported on demand has a class of its own when the sources run under tsx.
          expect((error as Error).name).to.equal('EvyError');
          return (error as EvyError).code;
        },
      ),
    ),
  );
  expect(codes[0]).to.equal(codes[1]);
  return codes[0];
}

describe('server() rejects', () => {
  it(
    'an address in use, named',
    withServer(hello, {}, async ({ target }) => {
      const server = wsgi.server(listen(['127.0.0.1', target.port!]), hello, quiet);
      expect(await codeOf(server)).to.equal('ADDRESS_IN_USE');
      expect(await server.catch((error: Error) => error.message)).to.include(String(target.port));
    }),
  );

  it('a unix socket in use', async () => {
    const at = join(await tempFolder(), 'socket');
    await withServer(hello, { at }, async () => {
      expect(await codeOf(wsgi.server(listen(at), hello, quiet))).to.equal('ADDRESS_IN_USE');
    })();
  });

  it('an address that is not of this machine', async () => {
    expect(await codeOf(wsgi.server(listen(['192.0.2.1', 0]), hello, quiet))).to.equal('ADDRESS_NOT_AVAILABLE');
  });

  it('a path that cannot be', async () => {
    expect(await codeOf(wsgi.server(listen('/no/such/folder/socket'), hello, quiet))).to.match(
      /^(ADDRESS|LISTEN|BAD_BIND)/,
    );
  });

  it('a port that is none', async () => {
    expect(await codeOf(wsgi.server(listen(['127.0.0.1', 99_999]), hello, quiet))).to.equal('BAD_BIND');
  });

  it('what types would not let through', async () => {
    const on = () => listen(['127.0.0.1', 0]);
    const given: ReadonlyArray<[unknown[], string]> = [
      [[on(), 5], 'APP_NOT_CALLABLE'],
      [['no socket', hello], 'BAD_OPTION'],
      [[on(), hello, null], 'BAD_OPTION'],
      [[on(), hello, { log: 5 }], 'BAD_OPTION'],
      [[on(), hello, { accessLog: 'x' }], 'BAD_OPTION'],
      [[on(), hello, { certfile: 'x' }], 'BAD_OPTION'],
      [[on(), hello, { workerConnections: 5 }], 'BAD_OPTION'],
      [[on(), hello, { logFormat: '%(nope)s' }], 'BAD_OPTION'],
      [[listen(8080 as never), hello], 'BAD_BIND'],
      [[listen([5, 0] as never), hello], 'BAD_BIND'],
    ];
    for (const [values, code] of given) {
      expect(await codeOf(wsgi.server(...(values as Parameters<typeof wsgi.server>)))).to.equal(code);
    }
  });

  it('a socket that another server serves, which goes on', async () => {
    const socket = listen(['127.0.0.1', 0]);
    const first = wsgi.server(socket, hello, quiet);
    onEnd(() => first.stop({ graceMs: 0 }));
    const address = (await first.ready) as { host: string; port: number };
    expect(await codeOf(wsgi.server(socket, hello, quiet))).to.equal('ADDRESS_IN_USE');
    const client = await connectTo(address);
    expect(text(await client.request('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'))).to.equal('hello');
  });

  it('stop() with a grace time that is none', async () => {
    const server = wsgi.server(listen(['127.0.0.1', 0]), hello, quiet);
    await server.ready;
    for (const graceMs of [Number.NaN, -1, 'x' as never]) {
      const refused = await server.stop({ graceMs }).catch((error: EvyError) => error.code);
      expect(refused).to.equal('BAD_OPTION');
    }
    await server.stop({ graceMs: Infinity });
  });

  it('a certificate that is not there, or not that of its key', async () => {
    const serve = (cert: string, key: string) =>
      wsgi.server(wrapSsl(listen(['127.0.0.1', 0]), { certfile: cert, keyfile: key }), hello, quiet);
    expect(await codeOf(serve('/no/such/file', keyfile))).to.equal('BAD_CERTIFICATE');
    expect(await codeOf(serve(certfile, otherKeyfile))).to.equal('BAD_CERTIFICATE');
    expect(await codeOf(serve(certfile, certfile))).to.equal('BAD_CERTIFICATE');
  });

  it('options that are unknown or out of range', async () => {
    for (const bad of [
      { keepAlive: true },
      { maxSize: 0 },
      { headTimeout: -1 },
      { maxHttpVersion: 'HTTP/2' },
      { debug: 'perhaps' },
    ]) {
      const server = wsgi.server(listen(['127.0.0.1', 0]), hello, { ...quiet, ...(bad as wsgi.ServerOptions) });
      expect(await codeOf(server), JSON.stringify(bad)).to.equal('BAD_OPTION');
    }
  });

  it('a bad option and leaves the address free', async () => {
    const at = join(await tempFolder(), 'socket');
    expect(await codeOf(wsgi.server(listen(at), hello, { ...quiet, maxHeaders: 0 }))).to.equal('BAD_OPTION');
    const server = wsgi.server(listen(at), hello, quiet);
    await server.ready;
    await server.stop();
  });
});

describe('the option', () => {
  it(
    'maxSize stops accepting at so many connections, and goes on when one has ended',
    withServer(hello, { maxSize: 2 }, async ({ connect, server }) => {
      const [first, second] = [await connect(), await connect()];
      await waitFor('two connections', () => server.counters.connections === 2);
      const third = await connect();
      third.send(get());
      expect(text(await first.request(get()))).to.equal('hello');
      expect(text(await second.request(get()))).to.equal('hello');
      expect([server.counters.connections, third.bytesReceived]).to.deep.equal([2, 0]);
      first.close();
      expect(text(await third.response())).to.equal('hello');
    }),
  );

  it(
    'maxHttpVersion turns chunks and keep-alive by default off',
    withServer(
      (_env, startResponse) => {
        startResponse('200 OK', []);
        return new Set(['a', 'b']);
      },
      { maxHttpVersion: 'HTTP/1.0' },
      async ({ connect }) => {
        const client = await connect();
        const response = await client.request(get());
        expect([response.version, text(response), response.framing, header(response, 'connection')]).to.deep.equal([
          'HTTP/1.0',
          'ab',
          'close',
          'close',
        ]);
      },
    ),
  );

  it(
    'capitalizeResponseHeaders off leaves names as they are',
    withServer(answer('x', [['x-aBc', '1']]), { capitalizeResponseHeaders: false }, async ({ connect }) => {
      expect((await (await connect()).request(get())).headers).to.deep.include(['x-aBc', '1']);
    }),
  );

  it(
    'capitalizeResponseHeaders is on by default',
    withServer(answer('x', [['x-aBc', '1']]), {}, async ({ connect }) => {
      expect((await (await connect()).request(get())).headers).to.deep.include(['X-Abc', '1']);
    }),
  );

  it(
    'logFormat shapes the access log, in each of its fields',
    withServer(
      answer('hello'),
      {
        logFormat:
          '%(client_ip)s %(date_time)s "%(request_line)s" %(status_code)s %(body_length)s %(wall_seconds).3f %%',
      },
      async ({ connect, accessLines }) => {
        await (await connect()).request(get('/a"b?c'));
        await waitFor('the line', () => accessLines.length === 1);
        expect(accessLines[0]).to.match(
          /^127\.0\.0\.1 \d\d\/[A-Z][a-z]{2}\/\d{4} \d\d:\d\d:\d\d "GET \/a\\x22b\?c HTTP\/1\.1" 200 5 \d+\.\d{3} %$/,
        );
      },
    ),
  );

  it(
    'logXForwardedFor shows who is behind a proxy',
    withServer(hello, { logFormat: '%(client_ip)s' }, async ({ connect, accessLines }) => {
      await (await connect()).request(get('/', 'X-Forwarded-For: 1.2.3.4, 5.6.7.8\r\n'));
      await waitFor('the line', () => accessLines.length === 1);
      expect(accessLines).to.deep.equal(['1.2.3.4,5.6.7.8,127.0.0.1']);
    }),
  );

  it(
    'logXForwardedFor off does not',
    withServer(hello, { logFormat: '%(client_ip)s', logXForwardedFor: false }, async ({ connect, accessLines }) => {
      await (await connect()).request(get('/', 'X-Forwarded-For: 1.2.3.4\r\n'));
      await waitFor('the line', () => accessLines.length === 1);
      expect(accessLines).to.deep.equal(['127.0.0.1']);
    }),
  );

  it(
    'logOutput off writes no access lines',
    withServer(hello, { logOutput: false }, async ({ connect, accessLines, rest }) => {
      await (await connect()).request(get());
      await rest();
      expect(accessLines).to.deep.equal([]);
    }),
  );
});

describe('TLS', () => {
  it(
    'serves a client that checks the certificate',
    withServer(hello, { tls: true }, async ({ target }) => {
      const client = await connectTo({ ...target, tls: trusted });
      expect(text(await client.request(get()))).to.equal('hello');
      client.close();
    }),
  );

  it(
    'answers a client that shuts down its side',
    withServer(
      async (env, startResponse) => {
        await sleep(0);
        return answer(env.PATH_INFO)(env, startResponse);
      },
      { tls: true },
      async ({ connect }) => {
        const client = await connect();
        client.send(get('/1') + get('/2'));
        client.halfClose();
        expect((await client.responses(2)).map(text)).to.deep.equal(['/1', '/2']);
        expect(await client.closed()).to.equal('fin');
      },
    ),
  );

  it(
    'sends large answers and takes large bodies',
    withServer(
      async (env, startResponse) => {
        const body = await env['wsgi.input'].read();
        startResponse('200 OK', []);
        return [body];
      },
      { tls: true },
      async ({ connect }) => {
        const body = 'x'.repeat(2_000_000);
        const response = await (await connect()).request(post(body), 'POST');
        expect(response.body).to.have.lengthOf(body.length);
      },
    ),
  );

  it(
    'is not harmed by a client that does not speak it, or leaves in the handshake',
    withServer(hello, { tls: true }, async ({ connect, target }) => {
      const plain = await connectTo({ ...target, tls: false });
      plain.socket.write(get());
      await plain.closed();
      (await connectTo({ ...target, tls: false })).abort();
      expect(text(await (await connect()).request(get()))).to.equal('hello');
    }),
  );

  it(
    'counts the bytes of an answer that the client leaves',
    scenario(() => {
      const left = deferred<number>();
      return withServer(
        (env, startResponse) => {
          env['evy.posthooks'].push([(given) => left.resolve(given['evy.response']!.bytesSent)]);
          startResponse('200 OK', []);
          return [Buffer.alloc(20_000_000)];
        },
        { tls: true },
        async ({ connect }) => {
          const client = await connect();
          client.send(get());
          await client.bytes(2_000_000);
          client.pause();
          client.abort();
          expect(await left.promise).to.be.within(1_900_000, 19_999_999);
        },
      );
    }),
  );
});
