import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { expect } from 'chai';
import { receiveFrom, shareReadBuffer } from '../../src/shared/node-private.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { waitFor } from '../helpers/wait-for.ts';

async function listening(): Promise<Server> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onEnd(() => server.close());
  return server;
}

function client(server: Server): Socket {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => {});
  onEnd(() => socket.destroy());
  return socket;
}

describe('connections that share a read buffer', () => {
  it('deliver their bytes, each its own, one after the other through the same buffer', async () => {
    const server = await listening();
    const heard = new Map<Socket, string>();
    const buffers = new Set<ArrayBufferLike>();
    const accept = (socket: Socket): void => {
      onEnd(() => socket.destroy());
      socket.on('end', () => socket.end());
      const receive = (buffer: Buffer, length: number): void => {
        buffers.add(buffer.buffer);
        heard.set(socket, (heard.get(socket) ?? '') + buffer.toString('latin1', 0, length));
      };
      expect(receiveFrom(socket, { receive })).to.equal(true);
    };
    expect(shareReadBuffer(server, accept)).to.equal(true);
    const clients = [client(server), client(server)];
    const closed = Promise.all(clients.map((socket) => once(socket.resume(), 'close')));
    for (const [index, socket] of clients.entries()) socket.end(`from client ${index}`);
    await waitFor('both', () => [...heard.values()].toSorted().join() === 'from client 0,from client 1');
    expect(buffers.size).to.equal(1);
    await closed;
  });

  it('stop reading when they are paused, until they are resumed', async () => {
    const server = await listening();
    let accepted: Socket | undefined;
    const heard: string[] = [];
    shareReadBuffer(server, (socket) => {
      onEnd(() => socket.destroy());
      accepted = socket;
      const receive = (buffer: Buffer, length: number): void => {
        heard.push(buffer.toString('latin1', 0, length));
        socket.pause();
      };
      expect(receiveFrom(socket, { receive })).to.equal(true);
    });
    const socket = client(server);
    socket.write('one');
    await waitFor('the first bytes', () => heard.length === 1);
    socket.write('two');
    accepted!.resume();
    await waitFor('the rest', () => heard.join('') === 'onetwo');
  });

  it('are not had when the private API is switched off: the server goes on as it was', async () => {
    process.env['EVY_PRIVATE_API'] = 'off';
    onEnd(() => delete process.env['EVY_PRIVATE_API']);
    const server = await listening();
    expect(shareReadBuffer(server, () => {})).to.equal(false);
    const accepted = once(server, 'connection');
    client(server);
    const [socket] = (await accepted) as [Socket];
    expect(receiveFrom(socket, { receive() {} })).to.equal(false);
    socket.destroy();
  });
});
