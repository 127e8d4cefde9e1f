import { join } from 'node:path';
import { expect } from 'chai';
import type { App, Environ } from '../../src/index.ts';
import { tempFolder } from '../helpers/files.ts';
import { text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { echo, get, post, scenario, withServer, type Options, type Served } from '../worker/helpers/with-server.ts';

/** Runs `test` with a server whose application keeps the environments that it saw. */
function withEnvironments(
  options: Options,
  test: (seen: Environ[], served: Served) => Promise<void>,
  app: App = echo,
): () => Promise<void> {
  const seen: Environ[] = [];
  const keep: App = (env, startResponse) => {
    seen.push(env);
    return app(env, startResponse);
  };
  return withServer(keep, options, (served) => test(seen, served));
}

describe('the environment of a request', () => {
  it(
    'says what was asked',
    withEnvironments({}, async (seen, { connect }) => {
      await (
        await connect()
      ).request(post('abc', 'Content-Type: text/x\r\nX-One: 1\r\n', '/a%20b/%C3%A4?c=%20d'), 'POST');
      expect(seen[0]).to.include({
        'REQUEST_METHOD': 'POST',
        'SCRIPT_NAME': '',
        'PATH_INFO': '/a b/ä',
        'QUERY_STRING': 'c=%20d',
        'RAW_PATH_INFO': '/a%20b/%C3%A4',
        'RAW_URI': '/a%20b/%C3%A4?c=%20d',
        'SERVER_PROTOCOL': 'HTTP/1.1',
        'CONTENT_TYPE': 'text/x',
        'CONTENT_LENGTH': '3',
        'HTTP_X_ONE': '1',
        'HTTP_HOST': 'test',
        'GATEWAY_INTERFACE': 'CGI/1.1',
        'wsgi.url_scheme': 'http',
        'wsgi.multithread': false,
        'wsgi.multiprocess': false,
        'wsgi.run_once': false,
      });
      expect(seen[0]!['wsgi.version']).to.deep.equal([1, 0]);
      expect(seen[0]!.SERVER_SOFTWARE).to.match(/^evy/);
      expect(seen[0]!.headers_raw).to.deep.equal([
        ['Host', 'test'],
        ['Content-Length', '3'],
        ['Content-Type', 'text/x'],
        ['X-One', '1'],
      ]);
      expect(seen[0]).to.not.have.any.keys('HTTPS', 'HTTP_CONTENT_TYPE', 'HTTP_CONTENT_LENGTH', 'evy.trailers');
    }),
  );

  it(
    'is a plain object whose keys can be copied',
    withEnvironments({}, async (seen, { connect }) => {
      await (await connect()).request(get());
      expect(Object.getPrototypeOf(seen[0])).to.equal(Object.prototype);
      const copy = { ...seen[0] };
      expect(copy['evy.signal']).to.be.instanceOf(AbortSignal);
      expect(copy['evy.signal']).to.equal(seen[0]!['evy.signal']);
      expect(Object.keys(copy)).to.include.members([
        'wsgi.input',
        'wsgi.errors',
        'evy.posthooks',
        'evy.input',
        'evy.signal',
        'REMOTE_PORT',
      ]);
    }),
  );

  it(
    'has CONTENT_TYPE and CONTENT_LENGTH only when they were sent',
    withEnvironments({}, async (seen, { connect }) => {
      await (await connect()).request(get());
      expect(seen[0]).to.not.have.any.keys('CONTENT_TYPE', 'CONTENT_LENGTH');
    }),
  );

  it(
    'shows bytes of a path that are no UTF-8 as U+FFFD',
    withEnvironments({}, async (seen, { connect }) => {
      await (await connect()).request(get('/%FF/%C3%28/%2e'));
      expect(seen[0]).to.include({ PATH_INFO: '/\ufffd/\ufffd(/.', RAW_PATH_INFO: '/%FF/%C3%28/%2e' });
    }),
  );

  it(
    'joins repeated headers with a comma, and cookies with a semicolon',
    withEnvironments({}, async (seen, { connect }) => {
      await (await connect()).request(get('/', 'X: 1\r\nCookie: a=1\r\nx: 2\r\nCookie: b=2\r\nX:\r\n'));
      expect(seen[0]).to.include({ HTTP_X: '1, 2, ', HTTP_COOKIE: 'a=1; b=2' });
    }),
  );

  it(
    'is that of one request alone, whatever an application did to the one before',
    scenario(() => {
      const seen: unknown[] = [];
      const app: App = (env, startResponse) => {
        seen.push([env.headers_raw.map((pair) => [...pair]), env.HTTP_X_ONE, env['mine']]);
        expect(() => Object.assign(env.headers_raw[0]!, { 1: 'changed' })).to.throw(TypeError);
        env.headers_raw[0] = ['Host', 'changed'];
        env.headers_raw.push(['Y', 'z']);
        env['mine'] = true;
        delete env.HTTP_X_ONE;
        startResponse('200 OK', []);
        return [];
      };
      return withServer(app, {}, async ({ connect }) => {
        const client = await connect();
        for (let times = 0; times < 2; times += 1) await client.request(get('/', 'X-One: 1\r\n'));
        const headers = [
          ['Host', 'test'],
          ['X-One', '1'],
        ];
        expect(seen).to.deep.equal(Array.from({ length: 2 }, () => [headers, '1', undefined]));
      });
    }),
  );

  it(
    'drops headers whose name could pass for another one',
    withEnvironments({}, async (seen, { connect }) => {
      await (
        await connect()
      ).request(get('/', 'X_Real_IP: forged\r\nContent_Length: 5\r\n__proto__: x\r\nX-Real-IP: true\r\n'));
      expect(seen[0]!.HTTP_X_REAL_IP).to.equal('true');
      expect(seen[0]).to.not.have.any.keys('CONTENT_LENGTH', 'HTTP_CONTENT_LENGTH', 'HTTP___PROTO__');
      expect(seen[0]!.headers_raw).to.deep.include(['X_Real_IP', 'forged']);
    }),
  );

  it(
    'takes the host of an absolute target for Host',
    withEnvironments({}, async (seen, { connect }) => {
      await (await connect()).request(get('http://b.example:81/c?d'));
      expect(seen[0]).to.include({
        HTTP_HOST: 'b.example:81',
        PATH_INFO: '/c',
        QUERY_STRING: 'd',
        RAW_URI: 'http://b.example:81/c?d',
      });
    }),
  );

  it(
    'takes * for the path of a server-wide OPTIONS',
    withEnvironments({}, async (seen, { connect }) => {
      const client = await connect();
      await client.request(get('*', '', 'OPTIONS'));
      expect(seen.map((env) => [env.REQUEST_METHOD, env.PATH_INFO])).to.deep.equal([['OPTIONS', '*']]);
    }),
  );

  it(
    'tells the version of the request',
    withEnvironments({}, async (seen, { connect }) => {
      await (await connect()).request('GET / HTTP/1.0\r\n\r\n');
      expect(seen[0]!.SERVER_PROTOCOL).to.equal('HTTP/1.0');
    }),
  );

  it(
    'names both ends of the connection',
    withEnvironments({}, async (seen, { connect, target }) => {
      const client = await connect();
      await client.request(get());
      expect(seen[0]).to.include({
        SERVER_NAME: '127.0.0.1',
        SERVER_PORT: String(target.port),
        REMOTE_ADDR: '127.0.0.1',
        REMOTE_PORT: String(client.socket.localPort),
      });
    }),
  );

  it(
    'names both ends over IPv6',
    withEnvironments({ at: ['::1', 0] }, async (seen, { connect, target }) => {
      await (await connect()).request(get());
      expect(target.host).to.equal('::1');
      expect(seen[0]).to.include({ SERVER_NAME: '::1', SERVER_PORT: String(target.port), REMOTE_ADDR: '::1' });
    }),
  );

  it('names no addresses on a unix socket, and has text there all the same', async () => {
    const at = join(await tempFolder(), 'socket');
    await withEnvironments({ at, logFormat: '%(client_ip)s' }, async (seen, { connect, server, accessLines }) => {
      await (await connect()).request(get());
      expect(server.address).to.deep.equal({ path: at });
      for (const key of ['SERVER_NAME', 'SERVER_PORT', 'REMOTE_ADDR', 'REMOTE_PORT'])
        expect(seen[0]![key]).to.be.a('string');
      await waitFor('the access line', () => accessLines.length === 1);
      expect(accessLines[0]).to.equal(seen[0]!.REMOTE_ADDR);
    })();
  });

  it(
    'says https under TLS',
    withEnvironments({ tls: true }, async (seen, { connect }) => {
      const client = await connect();
      expect(text(await client.request(post('abc'), 'POST'))).to.equal('abc');
      expect(seen[0]).to.include({ 'HTTPS': 'on', 'wsgi.url_scheme': 'https', 'REMOTE_ADDR': '127.0.0.1' });
    }),
  );

  it(
    'has the entries of the option environ',
    withEnvironments({ environ: { 'my.key': 7, 'SERVER_NAME': 'mine' } }, async (seen, { connect }) => {
      await (await connect()).request(get());
      expect(seen[0]).to.include({ 'my.key': 7, 'SERVER_NAME': 'mine' });
    }),
  );

  it(
    'has the trailers of a chunked body, apart from its headers',
    withEnvironments({}, async (seen, { connect }) => {
      const client = await connect();
      const response = await client.request(
        'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n',
        'POST',
      );
      expect(text(response)).to.equal('abc');
      expect(seen[0]!['evy.trailers']).to.deep.equal([
        ['X-Sum', '1'],
        ['Host', 'evil'],
      ]);
      expect(seen[0]).to.include({ HTTP_HOST: 'a' });
      expect(seen[0]).to.not.have.property('HTTP_X_SUM');
    }),
  );

  it(
    "keeps the server's own input when the application replaces wsgi.input",
    withEnvironments(
      {},
      async (seen, { connect }) => {
        await (await connect()).request(post('abc'), 'POST');
        expect(seen[0]!['evy.input']).to.not.equal(seen[0]!['wsgi.input']);
      },
      (env, startResponse) => {
        const { 'wsgi.input': own } = env;
        env['wsgi.input'] = Object.create(own) as typeof own;
        expect(env['evy.input']).to.equal(own);
        startResponse('200 OK', []);
        return [];
      },
    ),
  );

  it(
    'has a place for error lines, which go to the log',
    withEnvironments(
      {},
      async (_seen, { connect, logged }) => {
        await (await connect()).request(get());
        await waitFor('the lines', () => logged('app.errors').length === 2);
        expect(logged('app.errors').map(({ text: line }) => line)).to.deep.equal(['one', 'two']);
      },
      async (env, startResponse) => {
        env['wsgi.errors'].write('one\ntwo\n');
        startResponse('200 OK', []);
        return [];
      },
    ),
  );

  it(
    'has a signal that stays quiet when all goes well',
    withEnvironments({}, async (seen, { connect, rest }) => {
      const client = await connect();
      const { 'evy.signal': signal } = await new Promise<Environ>((resolve) => {
        client.send(get());
        void waitFor('the request', () => seen[0]).then(resolve);
      });
      await client.response();
      client.close();
      await rest();
      expect(signal.aborted).to.equal(false);
    }),
  );
});
