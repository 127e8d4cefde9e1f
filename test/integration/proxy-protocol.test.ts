import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { expect } from 'chai';
import type { Environ } from '../../src/index.ts';
import { fetchHandler } from '../../src/worker/interfaces/fetch.ts';
import { NodeService } from '../../src/worker/interfaces/node.ts';
import { postHook } from '../../src/worker/interfaces/node-requests.ts';
import { Service } from '../../src/worker/loop/service.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { tempFolder } from '../helpers/files.ts';
import { connect as connectTo, RawClient, type Target } from '../helpers/raw-client.ts';
import { text } from '../helpers/response-reader.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { block6, tlsVector, version2 } from '../worker/helpers/proxy-header.ts';
import { answer, echo, get, post, scenario, withServer } from '../worker/helpers/with-server.ts';
import { withService } from '../worker/helpers/with-service.ts';

const shown = ['REMOTE_ADDR', 'REMOTE_PORT', 'SERVER_NAME', 'SERVER_PORT', 'wsgi.url_scheme'] as const;
const mirror = answer((env) => shown.map((key) => env[key]).join(' '));

const version1 = 'PROXY TCP4 192.0.2.1 198.51.100.2 5000 443\r\n';
const told = '192.0.2.1 5000 198.51.100.2 443 http';
const onLoopback = { proxyProtocol: 'loopback' };
const latin1 = (bytes: Buffer): string => bytes.toString('latin1');

/** A client that sends a header in the clear and then speaks TLS: the header and the ClientHello in one write. */
async function connectTlsBehind(header: Uint8Array, target: Target): Promise<RawClient> {
  const below = await connectTo({ ...target, tls: false });
  below.socket.removeAllListeners('data');
  below.socket.cork();
  below.socket.write(header);
  const socket = connectTls({ socket: below.socket, rejectUnauthorized: false });
  onEnd(() => socket.destroy());
  process.nextTick(() => below.socket.uncork());
  await once(socket, 'secureConnect');
  return new RawClient(socket, below.socket, 5000);
}

describe('the PROXY protocol', () => {
  for (const [what, header, seen] of [
    ['version 1', version1, told],
    ['version 2', latin1(version2()), told],
    [
      'version 2 over IPv6',
      latin1(version2({ family: 0x21, block: block6 })),
      '2001:db8::1 5000 2001:db8::2:0:0:1 443 http',
    ],
    ['a client that was on TLS', latin1(version2({ vectors: [tlsVector] })), '192.0.2.1 5000 198.51.100.2 443 https'],
    ['a client on a unix socket', latin1(version2({ family: 0x31, block: Buffer.alloc(216) })), 'unix  unix  http'],
  ] as Array<[string, string, string]>) {
    it(
      `tells who the client is: ${what}`,
      withServer(mirror, onLoopback, async ({ connect }) => {
        const client = await connect();
        // In one packet with the request, and with the one after it.
        client.send(header + get() + get());
        expect((await client.responses(2)).map(text)).to.deep.equal([seen, seen]);
        const slow = await connect();
        for (const byte of header) slow.send(byte);
        expect(text(await slow.request(get()))).to.equal(seen);
      }),
    );
  }

  it(
    'leaves a connection that speaks for itself as it is',
    withServer(mirror, onLoopback, async ({ connect, target }) => {
      for (const header of [
        'PROXY UNKNOWN\r\n',
        latin1(version2({ command: 0x20, family: 0, block: Buffer.alloc(0) })),
      ]) {
        const client = await connect();
        expect(text(await client.request(header + get()))).to.match(
          new RegExp(`^127\\.0\\.0\\.1 \\d+ 127\\.0\\.0\\.1 ${target.port} http$`),
        );
      }
    }),
  );

  it(
    'is required of the peers that are listed',
    withServer(mirror, onLoopback, async ({ connect, logged, rest }) => {
      for (const bytes of [get(), 'PROXY TCP4 1 2 3 4\r\n', 'PROXY UNKNOWN\n']) {
        const client = await connect();
        client.send(bytes);
        await client.closed();
        expect(client.received, 'no answer').to.equal('');
      }
      const half = await connect();
      half.send('PROXY TCP4 192.');
      half.halfClose();
      await half.closed();
      // A load balancer that looks whether somebody listens.
      const silent = await connect();
      silent.halfClose();
      await silent.closed();
      await rest();
      const lines = logged('connection.refused');
      expect(lines.map(({ code, peer }) => [code, peer])).to.deep.equal(
        Array.from({ length: 4 }, () => ['BAD_PROXY_HEADER', '127.0.0.1']),
      );
    }),
  );

  it(
    'has to come within the time for a head',
    withServer(mirror, { ...onLoopback, headTimeout: '100ms' }, async ({ connect, logged, server }) => {
      const client = await connect();
      client.send('PROXY TCP4 ');
      await waitFor('the connection', () => server.counters.connections === 1);
      await client.closed();
      expect(logged('connection.refused')[0]).to.include({ code: 'PROXY_HEADER_TIMEOUT', peer: '127.0.0.1' });
    }),
  );

  it(
    'is a bad request from anybody else',
    withServer(mirror, { proxyProtocol: ['192.0.2.0/24', 'unix'] }, async ({ connect, logged }) => {
      expect(text(await (await connect()).request(get()))).to.match(/^127\.0\.0\.1 /);
      for (const header of [version1, latin1(version2())]) {
        expect((await (await connect()).request(header + get())).status).to.equal(400);
      }
      expect(logged('request.refused').map(({ code }) => code)).to.deep.equal(['BAD_REQUEST_LINE', 'BAD_BYTE']);
    }),
  );

  it(
    'is a bad request by default',
    withServer(mirror, {}, async ({ connect }) => {
      expect((await (await connect()).request(version1 + get())).status).to.equal(400);
    }),
  );

  it(
    'comes once: a client cannot send another one behind it',
    withServer(mirror, onLoopback, async ({ connect }) => {
      const client = await connect();
      expect((await client.request(version1 + version1 + get())).status).to.equal(400);
    }),
  );

  it(
    'decides whether forwarding headers are believed: those of its client, not of its sender',
    withServer(mirror, { ...onLoopback, trustedProxies: ['192.0.2.1', 'loopback'] }, async ({ connect }) => {
      const forwarded = 'X-Forwarded-For: 203.0.113.7\r\n';
      expect(text(await (await connect()).request(version1 + get('/', forwarded)))).to.match(/^203\.0\.113\.7 /);
      const other = version1.replace('192.0.2.1', '192.0.2.2');
      expect(text(await (await connect()).request(other + get('/', forwarded)))).to.match(/^192\.0\.2\.2 /);
    }),
  );

  it(
    'keeps bodies whole that come with it',
    withServer(echo, onLoopback, async ({ connect }) => {
      const body = 'x'.repeat(200_000);
      expect(text(await (await connect()).request(version1 + post(body), 'POST'))).to.equal(body);
    }),
  );

  it(
    'counts connections that wait, and a stop ends them',
    withServer(mirror, onLoopback, async ({ connect, server }) => {
      const client = await connect();
      client.send('PROXY ');
      await waitFor('the connection', () => server.counters.connections === 1);
      await server.stop({ graceMs: 1000 });
      await client.closed();
    }),
  );

  it(
    'on a unix socket',
    scenario(() => async () => {
      const path = `${await tempFolder()}/s`;
      await withServer(mirror, { proxyProtocol: 'unix', at: path }, async ({ connect }) => {
        expect(text(await (await connect()).request(version1 + get()))).to.equal(told);
      })();
    }),
  );

  describe('in front of TLS', () => {
    it(
      'tells who the client is, each of many',
      withServer(mirror, { ...onLoopback, tls: true }, async ({ target, rest }) => {
        const numbers = Array.from({ length: 20 }, (_, index) => String(index + 1));
        const seen = await Promise.all(
          numbers.map(async (number) => {
            const header = Buffer.from(version1.replace('192.0.2.1', `192.0.2.${number}`));
            const client = await connectTlsBehind(header, target);
            const answers = [text(await client.request(get())), text(await client.request(get()))];
            client.close();
            return answers;
          }),
        );
        const expected = numbers.map((number) => `192.0.2.${number} 5000 198.51.100.2 443 https`);
        expect(seen).to.deep.equal(expected.map((one) => [one, one]));
        await rest();
      }),
    );

    it(
      'on a unix socket',
      scenario(() => async () => {
        const path = `${await tempFolder()}/s`;
        const options = { proxyProtocol: 'unix', at: path, tls: true };
        await withServer(mirror, options, async ({ target }) => {
          const client = await connectTlsBehind(version2(), target);
          expect(text(await client.request(get()))).to.equal(`${told}s`);
          client.close();
        })();
      }),
    );

    it(
      'is required there as well, and refused from others',
      withServer(mirror, { ...onLoopback, tls: true }, async ({ target, logged, rest }) => {
        const client = await connectTo({ ...target, tls: false });
        client.send(Buffer.from('1603010200010001fc', 'hex'));
        await client.closed();
        expect(logged('connection.refused')[0]).to.include({ code: 'BAD_PROXY_HEADER' });
        await rest();
      }),
    );

    it(
      'lets others through to TLS',
      withServer(mirror, { proxyProtocol: '192.0.2.1', tls: true }, async ({ connect }) => {
        expect(text(await (await connect()).request(get()))).to.match(/^127\.0\.0\.1 \d+ 127\.0\.0\.1 \d+ https$/);
      }),
    );

    it(
      'works without private API, by the ends of the connection',
      scenario(() => async () => {
        process.env['EVY_PRIVATE_API'] = 'off';
        onEnd(() => delete process.env['EVY_PRIVATE_API']);
        await withServer(mirror, { ...onLoopback, tls: true }, async ({ target }) => {
          const clients = await Promise.all([
            connectTlsBehind(version2(), target),
            connectTlsBehind(Buffer.from(version1), target),
          ]);
          for (const client of clients) {
            expect(text(await client.request(get()))).to.equal(`${told}s`);
            client.close();
          }
        })();
      }),
    );
  });

  it(
    'on sockets, as without private API',
    scenario(() => async () => {
      process.env['EVY_PRIVATE_API'] = 'off';
      onEnd(() => delete process.env['EVY_PRIVATE_API']);
      await withServer(echo, onLoopback, async ({ connect }) => {
        const body = 'x'.repeat(200_000);
        const client = await connect();
        expect(text(await client.request(version1 + post(body), 'POST'))).to.equal(body);
        const other = await connect();
        for (const byte of version1) other.send(byte);
        expect(text(await other.request(post('abc'), 'POST'))).to.equal('abc');
      })();
    }),
  );

  it(
    'a fetch application sees the client',
    withService(
      (parts) =>
        new Service({
          ...parts,
          handler: fetchHandler({ fetch: (_request, { env }) => new Response(env.REMOTE_ADDR) }),
        }),
      onLoopback,
      async ({ connect }) => {
        expect(text(await (await connect()).request(version1 + get()))).to.equal('192.0.2.1');
      },
    ),
  );

  it(
    'the post hooks of a node listener see the client, also of requests that came with the header',
    scenario(() => {
      const seen: Environ[] = [];
      return withService(
        (parts) =>
          new NodeService({
            ...parts,
            listener: (request, response) => {
              postHook(response, (env: Environ) => seen.push(env));
              request.pipe(response);
            },
          }),
        onLoopback,
        async ({ connect, serving }) => {
          const client = await connect();
          client.send(version1 + post('one') + post('two'), 'POST', 'POST');
          expect((await client.responses(2)).map(text)).to.deep.equal(['one', 'two']);
          const body = 'x'.repeat(200_000);
          expect(text(await client.request(post(body), 'POST'))).to.equal(body);
          await waitFor('the hooks', () => seen.length === 3);
          for (const env of seen) expect(env).to.include({ REMOTE_ADDR: '192.0.2.1', SERVER_PORT: '443' });
          const waiting = await connect();
          waiting.send('PROXY');
          await waitFor('the connection', () => serving.stats.connections === 2);
          serving.closeIdle();
          await waiting.closed();
        },
      );
    }),
  );
});
