import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { join } from 'node:path';
import { expect } from 'chai';
import { certfile, keyfile, trusted } from './certificates.ts';
import { onEnd } from './cleanup.ts';
import { tempFolder } from './files.ts';
import { connect } from './raw-client.ts';
import { text } from './response-reader.ts';

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

async function listening(server: Server, where: number | string = 0): Promise<number> {
  onEnd(() => server.close());
  const bound = new Promise((resolve) => server.once('listening', resolve));
  if (typeof where === 'string') server.listen(where);
  else server.listen(where, '127.0.0.1');
  await bound;
  return typeof where === 'string' ? 0 : (server.address() as AddressInfo).port;
}

/** A server that does something with each connection. */
const serve = (use: (socket: Socket) => void) => listening(createServer({ allowHalfOpen: true }, use));
const failure = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => new Error('no error'),
    (error: Error) => error,
  );

describe('RawClient', () => {
  it('hands out responses in order', async () => {
    const port = await serve((socket) => socket.once('data', () => socket.write(ok + ok + ok)));
    const client = await connect({ port });
    client.send('GET / HTTP/1.1\r\n\r\n');
    expect((await client.responses(2)).map(text)).to.deep.equal(['ok', 'ok']);
    expect(text(await client.response())).to.equal('ok');
    expect(client.bytesReceived).to.equal(3 * ok.length);
  });
  it('tells a FIN from a reset', async () => {
    const polite = await connect({ port: await serve((socket) => socket.end()) });
    expect(await polite.closed()).to.equal('fin');
    const rude = await connect({ port: await serve((socket) => socket.once('data', () => socket.resetAndDestroy())) });
    rude.send('x');
    expect(await rude.closed()).to.equal('reset');
  });
  it('says at once when the connection ends before the response', async () => {
    const client = await connect({ port: await serve((socket) => socket.end('HTTP/1.1 200 OK\r\n')) });
    expect((await failure(client.response())).message).to.match(/no 1 responses[^]*fin[^]*HTTP\/1.1 200 OK/);
  });
  it('shows at the deadline what was received', async () => {
    const client = await connect({ port: await serve((socket) => socket.write('HTTP/1.1 2')) });
    await client.bytes(10);
    expect((await failure(client.response(20))).message).to.match(
      /not within 20 ms: 1 responses[^]*open[^]*HTTP\/1.1 2/,
    );
  });
  it('shows that the bytes are not HTTP', async () => {
    const client = await connect({ port: await serve((socket) => socket.write('SSH-2.0\r\n\r\n')) });
    expect((await failure(client.response())).message).to.include('not a status line');
  });
  it('can end its own side and still read', async () => {
    const port = await serve((socket) => socket.resume().once('end', () => socket.end(ok)));
    const client = await connect({ port });
    client.halfClose();
    expect(text(await client.response())).to.equal('ok');
  });
  it('can reset', async () => {
    let seen: (code: string | undefined) => void;
    const code = new Promise((resolve) => (seen = resolve));
    const port = await serve((socket) =>
      socket.resume().once('error', (error: NodeJS.ErrnoException) => seen(error.code)),
    );
    (await connect({ port })).abort();
    expect(await code).to.equal('ECONNRESET');
  });
  it('rejects when refused', async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    expect(await failure(connect({ port }))).to.include({ code: 'ECONNREFUSED' });
    expect(await failure(connect({ port, tls: true }))).to.include({ code: 'ECONNREFUSED' });
  });
  it('speaks over a unix socket', async () => {
    const path = join(await tempFolder(), 's');
    await listening(
      createServer((socket) => socket.end(ok)),
      path,
    );
    expect(text(await (await connect({ path })).response())).to.equal('ok');
  });
  it('speaks TLS, and checks the certificate when asked to', async () => {
    const certificate = { cert: readFileSync(certfile), key: readFileSync(keyfile) };
    const server = createTlsServer(certificate, (socket) => socket.on('error', () => {}).end(ok));
    const port = await listening(server);
    for (const tls of [true, trusted]) {
      const client = await connect({ port, tls });
      expect(text(await client.response())).to.equal('ok');
      expect(await client.closed()).to.equal('fin');
    }
    expect(await failure(connect({ port, tls: { servername: 'localhost' } }))).to.be.an('error');
  });
  it('can reset below TLS', async () => {
    let seen: (value: unknown) => void;
    const ended = new Promise((resolve) => (seen = resolve));
    const certificate = { cert: readFileSync(certfile), key: readFileSync(keyfile) };
    const server = createTlsServer(certificate, (socket) => socket.on('error', seen).resume().write(ok));
    const client = await connect({ port: await listening(server), tls: true });
    await client.response();
    client.abort();
    expect(await ended).to.include({ code: 'ECONNRESET' });
  });
});
