import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect } from 'chai';
import { NodeServer } from '../../../src/worker/interfaces/node-server.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { connect } from '../../helpers/raw-client.ts';

/** A server whose heads have to come soon, on a socket of its own; `excused` by the time that it is given. */
async function serve(idleMs?: number): Promise<number> {
  const options = { headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 20, keepAliveTimeout: 60_000 };
  const server = new NodeServer(options, (request, response) => {
    server.hasAsked(request.socket);
    response.end('answer');
  });
  server.emit('listening');
  const sockets: Socket[] = [];
  const listening = createServer((socket) => {
    sockets.push(socket);
    server.emit('connection', socket);
    if (idleMs !== undefined) server.excuse(socket, idleMs);
  }).listen(0, '127.0.0.1');
  await once(listening, 'listening');
  onEnd(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
    listening.close();
  });
  return (listening.address() as AddressInfo).port;
}

const get = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';

describe("node:http's server", () => {
  it('wants a head in time from who is new', async () => {
    const client = await connect({ port: await serve() });
    expect((await client.response()).status).to.equal(408);
    await client.closed();
  });

  it('wants nothing of a connection that was idle elsewhere, but a head in time once it begins', async () => {
    const port = await serve(60_000);
    const [excused, early] = [await connect({ port }), await connect({ port })];
    early.send('GET / HTTP/1.1\r\n');
    // By the time that this is refused, the other one would have been as well.
    expect((await early.response()).status).to.equal(408);
    expect(await excused.request(get)).to.include({ status: 200 });
    expect(excused.ending).to.equal(undefined);
  });

  it('closes it when it is idle for longer than connections may be', async () => {
    const client = await connect({ port: await serve(30) });
    expect(await client.closed()).to.be.oneOf(['fin', 'reset']);
    expect(client.reader.responses).to.deep.equal([]);
  });
});
