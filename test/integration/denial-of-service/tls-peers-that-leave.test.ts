import { once } from 'node:events';
import { connect as connectNet, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import { expect } from 'chai';
import { listen, wrapSsl, wsgi, type App } from '../../../src/index.ts';
import { certfile, keyfile } from '../../helpers/certificates.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { connect } from '../../helpers/raw-client.ts';
import { application, answerOf, serve } from '../command/serving.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';

/** connections that the server takes, and peers that leave one after the other: a server that keeps them serves nobody */
const most = 12;
const peers = 40;

type Leave = (socket: Socket) => void;
const leaves: ReadonlyArray<[how: string, leave: Leave]> = [
  ['FIN', (socket) => void socket.end()],
  ['RST', (socket) => void socket.resetAndDestroy()],
];
const versions: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];

const refused: ReadonlyArray<[code: string, request: string]> = [
  ['HEAD_TOO_LARGE', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'p'.repeat(70_000)}\r\n\r\n`],
  ['URI_TOO_LONG', `GET /${'p'.repeat(70_000)} HTTP/1.1\r\nHost: a\r\n\r\n`],
  ['BAD_REQUEST_LINE', `NONSENSE\r\n\r\n${'p'.repeat(70_000)}`],
];

/** What a client of this version sends first. */
async function clientHello(version: SecureVersion): Promise<Buffer> {
  const server = createServer().listen(0, '127.0.0.1');
  onEnd(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connectTls({ port, host: '127.0.0.1', maxVersion: version, minVersion: version });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  return hello;
}

async function connectPlainly(port: number): Promise<Socket> {
  const socket = connectNet(port, '127.0.0.1').on('error', () => {});
  onEnd(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

async function leaveInHandshake(port: number, bytes: Buffer, leave: Leave): Promise<void> {
  const socket = await connectPlainly(port);
  await new Promise((resolve) => socket.write(bytes, resolve));
  leave(socket);
}

/** Resets as soon as the request is on its way. */
async function leaveAfter(port: number, request: string, version: SecureVersion): Promise<void> {
  const client = await connect({ port, tls: { rejectUnauthorized: false, maxVersion: version, minVersion: version } });
  await new Promise((resolve) => client.socket.write(request, resolve));
  client.abort();
}

const hello: App = (_env, startResponse) => {
  startResponse('200 OK', []);
  return ['hello'];
};

/** The one-process server, with a handshake time-out that no test lives to see. */
async function onePort(): Promise<number> {
  const tls = { handshakeTimeout: 120_000 };
  const socket = wrapSsl(listen(['127.0.0.1', 0]), { certfile, keyfile, tls });
  const server = wsgi.server(socket, hello, { logOutput: false, logLevel: 'error', maxSize: most });
  onEnd(() => server.stop({ graceMs: 0 }).catch(() => {}));
  return ((await server.ready) as { port: number }).port;
}

/** The command with one worker. */
async function onCommand(name: string): Promise<EvyProcess> {
  const bind = ['--bind', 'tls:127.0.0.1:0', '--certfile', certfile, '--keyfile', keyfile];
  const limits = ['--workers', '1', '--worker-connections', String(most)];
  return serve([application(name), ...bind, ...limits]);
}

describe('TLS peers that leave', () => {
  for (const version of versions) {
    it(`in the middle of the handshake are let go at once (${version})`, async () => {
      const evy = await onCommand('echoes-load-id');
      const whole = await clientHello(version);
      for (const port of [evy.port, await onePort()]) {
        for (const bytes of [whole, whole.subarray(0, 50)]) {
          for (const [, leave] of leaves) {
            for (let count = 0; count < peers; count += 1) await leaveInHandshake(port, bytes, leave);
            await answerOf({ port, tls: true });
          }
        }
      }
      const lines = evy.seen('connection.refused').filter(({ suppressed }) => suppressed === undefined);
      expect(new Set(lines.map(({ code }) => code))).to.deep.equal(new Set(['HANDSHAKE_FAILED']));
      expect(lines.map(({ peer }) => peer)).to.include('127.0.0.1');
    });

    for (const name of ['echoes-load-id', 'echoes-load-id-fetch', 'echoes-load-id-node']) {
      it(`after a refusal are let go when the reset arrives (${name}, ${version})`, async () => {
        const evy = await onCommand(name);
        const { port } = evy;
        for (const [code, request] of refused) {
          for (let count = 0; count < peers; count += 1) await leaveAfter(port, request, version);
          await answerOf({ port, tls: true });
          if (name !== 'echoes-load-id-node')
            await evy.until('request.refused', { where: (line) => line.code === code });
        }
        for (const { peer, suppressed } of evy.seen('request.refused')) {
          if (suppressed === undefined) expect(peer).to.equal('127.0.0.1');
        }
        expect(evy.seen('connection.cut')).to.deep.equal([]);
      });
    }

    it(`after a refusal of the one-process server are let go, too (${version})`, async () => {
      const port = await onePort();
      for (const [, request] of refused) {
        for (let count = 0; count < peers; count += 1) await leaveAfter(port, request, version);
        await answerOf({ port, tls: true });
      }
    });
  }

  it('without a byte are no failure: so do load balancers look whether somebody listens', async () => {
    const evy = await onCommand('echoes-load-id');
    for (const [, leave] of leaves) {
      for (let count = 0; count < peers; count += 1) await leaveInHandshake(evy.port, Buffer.alloc(0), leave);
      await answerOf({ port: evy.port, tls: true });
    }
    expect(evy.seen('connection.refused')).to.deep.equal([]);
  });

  it('may end their side after the handshake, and still get their answers', async () => {
    const { port } = await onCommand('echoes-load-id');
    for (const version of versions) {
      const client = await connect({ port, tls: { rejectUnauthorized: false, maxVersion: version } });
      client.send('GET / HTTP/1.1\r\nHost: a\r\nX-Load-Id: seven\r\n\r\n');
      client.halfClose();
      const { status } = await client.response();
      expect(status).to.equal(200);
      expect(await client.closed()).to.equal('fin');
    }
  });
});
