import { expect } from 'chai';
import type { Environ } from '../../src/index.ts';
import { fetchHandler } from '../../src/worker/interfaces/fetch.ts';
import { NodeService } from '../../src/worker/interfaces/node.ts';
import { postHook } from '../../src/worker/interfaces/node-requests.ts';
import { Service } from '../../src/worker/loop/service.ts';
import { tempFolder } from '../helpers/files.ts';
import { connect as connectTo } from '../helpers/raw-client.ts';
import { text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { answer, get, scenario, withServer } from '../worker/helpers/with-server.ts';
import { withService } from '../worker/helpers/with-service.ts';

const shown = [
  'REMOTE_ADDR',
  'wsgi.url_scheme',
  'HTTPS',
  'HTTP_HOST',
  'SERVER_NAME',
  'SERVER_PORT',
  'HTTP_X_FORWARDED_FOR',
] as const;
/** Answers with what an application sees of its client. */
const mirror = answer((env) => JSON.stringify(Object.fromEntries(shown.map((key) => [key, env[key]]))));
const seenBy = (body: string): Partial<Environ> => JSON.parse(body) as Partial<Environ>;

const headers = 'X-Forwarded-For: 6.6.6.6, 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: a.example\r\n';
const forwarded = 'Forwarded: for=192.0.2.1;proto=https;host=a.example\r\n';
const client = { 'REMOTE_ADDR': '192.0.2.1', 'wsgi.url_scheme': 'https', 'HTTPS': 'on', 'HTTP_HOST': 'a.example' };

describe('behind a trusted proxy', () => {
  it(
    'the environment shows the client, its scheme and its host',
    withServer(mirror, { trustedProxies: 'loopback' }, async ({ connect }) => {
      const proxy = await connect();
      for (const lines of [headers, forwarded, headers]) {
        const seen = seenBy(text(await proxy.request(get('/', lines))));
        expect(seen).to.include({ ...client, SERVER_NAME: 'a.example', SERVER_PORT: '443' });
      }
      const other = seenBy(text(await proxy.request(get('/', 'X-Forwarded-For: 192.0.2.9\r\n'))));
      expect(other).to.include({ 'REMOTE_ADDR': '192.0.2.9', 'wsgi.url_scheme': 'http', 'HTTP_HOST': 'test' });
      expect(other).to.not.have.property('HTTPS');
    }),
  );

  it(
    'headers of others change nothing, and are there as they came',
    withServer(mirror, { trustedProxies: ['private', 'unix'] }, async ({ connect, target }) => {
      const seen = seenBy(text(await (await connect()).request(get('/', headers + forwarded))));
      expect(seen).to.deep.equal({
        'REMOTE_ADDR': '127.0.0.1',
        'wsgi.url_scheme': 'http',
        'HTTP_HOST': 'test',
        'SERVER_NAME': '127.0.0.1',
        'SERVER_PORT': String(target.port),
        'HTTP_X_FORWARDED_FOR': '6.6.6.6, 192.0.2.1',
      });
    }),
  );

  it(
    'nobody is trusted by default',
    withServer(mirror, {}, async ({ connect }) => {
      const seen = seenBy(text(await (await connect()).request(get('/', headers + forwarded))));
      expect(seen).to.include({ 'REMOTE_ADDR': '127.0.0.1', 'wsgi.url_scheme': 'http', 'HTTP_HOST': 'test' });
    }),
  );

  it(
    'values that are malformed change nothing',
    withServer(mirror, { trustedProxies: 'loopback' }, async ({ connect }) => {
      const proxy = await connect();
      for (const line of [
        'X-Forwarded-For: a b',
        'Forwarded: for="',
        'X-Forwarded-Proto: x',
        'X-Forwarded-Host: a/b',
      ]) {
        const seen = seenBy(text(await proxy.request(get('/', `${line}\r\n`))));
        expect(seen).to.include({ 'REMOTE_ADDR': '127.0.0.1', 'wsgi.url_scheme': 'http', 'HTTP_HOST': 'test' });
      }
    }),
  );

  it(
    'that speaks IPv6 for IPv4, as on a socket for both',
    withServer(mirror, { trustedProxies: '127.0.0.0/8', at: ['::', 0] }, async ({ target }) => {
      const proxy = await connectTo({ port: target.port!, host: '127.0.0.1' });
      expect(seenBy(text(await proxy.request(get('/', headers))))).to.include(client);
      proxy.close();
    }),
  );

  it(
    'on a unix socket',
    scenario(() => async () => {
      const path = `${await tempFolder()}/s`;
      await withServer(mirror, { trustedProxies: 'unix', at: path }, async ({ connect }) => {
        expect(seenBy(text(await (await connect()).request(get('/', headers))))).to.include(client);
      })();
      await withServer(mirror, { trustedProxies: 'loopback', at: path }, async ({ connect }) => {
        expect(seenBy(text(await (await connect()).request(get('/', headers))))).to.include({ REMOTE_ADDR: 'unix' });
      })();
    }),
  );

  it(
    'on TLS, whose client may have been on plain text',
    withServer(mirror, { trustedProxies: 'loopback', tls: true }, async ({ connect }) => {
      const proxy = await connect();
      const seen = seenBy(text(await proxy.request(get('/', 'X-Forwarded-Proto: http\r\n'))));
      expect(seen).to.include({ 'wsgi.url_scheme': 'http', 'SERVER_PORT': '80' });
      expect(seen).to.not.have.property('HTTPS');
      expect(seenBy(text(await proxy.request(get())))).to.include({ 'wsgi.url_scheme': 'https', 'HTTPS': 'on' });
    }),
  );

  it(
    'a fetch application gets the URL that the client asked for',
    withService(
      (parts) =>
        new Service({
          ...parts,
          handler: fetchHandler({ fetch: (request, { env }) => new Response(`${request.url} ${env.REMOTE_ADDR}`) }),
        }),
      { trustedProxies: 'loopback' },
      async ({ connect }) => {
        const proxy = await connect();
        expect(text(await proxy.request(get('/a?b', headers)))).to.equal('https://a.example/a?b 192.0.2.1');
        expect(text(await proxy.request(get('/a?b', 'X-Forwarded-Host: b.example:81\r\n')))).to.equal(
          'http://b.example:81/a?b 127.0.0.1',
        );
      },
    ),
  );

  it(
    'the post hooks of a node listener see the client, its socket the proxy',
    scenario(() => {
      const seen: Environ[] = [];
      return withService(
        (parts) =>
          new NodeService({
            ...parts,
            listener: (request, response) => {
              postHook(response, (env: Environ) => seen.push(env));
              response.end(request.socket.remoteAddress);
            },
          }),
        { trustedProxies: 'loopback' },
        async ({ connect, accessLines }) => {
          const proxy = await connect();
          expect(text(await proxy.request(get('/', headers)))).to.equal('127.0.0.1');
          expect(text(await proxy.request(get('/', 'X-Forwarded-For: 192.0.2.7\r\n')))).to.equal('127.0.0.1');
          await waitFor('the hooks', () => seen.length === 2);
          expect(seen[0]).to.include({ ...client, SERVER_NAME: 'a.example', SERVER_PORT: '443' });
          expect(seen[1]).to.include({ 'REMOTE_ADDR': '192.0.2.7', 'wsgi.url_scheme': 'http' });
          await waitFor('the access lines', () => accessLines.length > 1);
          expect(accessLines[1]).to.include('192.0.2.7');
        },
      );
    }),
  );
});
