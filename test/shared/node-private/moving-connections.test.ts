import { once } from 'node:events';
import { createServer as createHttpServer, type ServerResponse } from 'node:http';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { detach, idleHttpSockets, passedHandle, reattach } from '../../../src/shared/node-private/node-private.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';

interface Pair {
  client: Socket;
  accepted: Socket;
  heard(): string;
}

async function pair(path?: string): Promise<Pair> {
  const server = path === undefined ? createServer().listen(0, '127.0.0.1') : createServer().listen(path);
  onEnd(() => server.close());
  await once(server, 'listening');
  const client = path === undefined ? connect((server.address() as AddressInfo).port, '127.0.0.1') : connect(path);
  const [accepted] = (await once(server, 'connection')) as [Socket];
  onEnd(() => client.destroy());
  onEnd(() => accepted.destroy());
  let text = '';
  accepted.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  return { client, accepted, heard: () => text };
}

const turns = async (): Promise<void> => {
  for (let count = 0; count < 5; count += 1) await new Promise((resolve) => setImmediate(resolve));
};

describe('a connection on its way to another process', () => {
  for (const kind of ['TCP', 'unix'] as const) {
    it(`over ${kind} is not read until it is back`, async () => {
      const { client, accepted, heard } = await pair(kind === 'unix' ? join(await tempFolder(), 's') : undefined);
      client.write('one');
      await waitFor('the first bytes', () => heard() === 'one');
      const detached = detach(accepted);
      expect(detached?.rest).to.equal(undefined);
      expect(passedHandle(detached?.handle)).to.equal(detached?.handle);
      client.write('two');
      await turns();
      expect(heard()).to.equal('one');
      reattach(accepted);
      await waitFor('the rest', () => heard() === 'onetwo');
    });
  }

  it('takes along what was read and not delivered', async () => {
    const { client, accepted } = await pair();
    accepted.removeAllListeners('data').pause();
    client.write('early');
    accepted.read(0);
    await waitFor('the bytes', () => accepted.readableLength === 5);
    expect(detach(accepted)?.rest?.toString('latin1')).to.equal('early');
  });

  it('does not leave while bytes are on their way out, after its end, or without private API', async () => {
    const { client, accepted } = await pair();
    client.pause();
    accepted.write(Buffer.alloc(16 << 20));
    expect(detach(accepted)).to.equal(undefined);
    const other = await pair();
    process.env['EVY_PRIVATE_API'] = 'off';
    onEnd(() => delete process.env['EVY_PRIVATE_API']);
    expect(detach(other.accepted)).to.equal(undefined);
    delete process.env['EVY_PRIVATE_API'];
    other.accepted.end();
    expect(detach(other.accepted)).to.equal(undefined);
    other.accepted.destroy();
    expect(detach(other.accepted)).to.equal(undefined);
  });

  it('is nothing that a message of somebody else may bring', () => {
    for (const value of [undefined, null, {}, { close() {} }, createServer()]) {
      expect(passedHandle(value)).to.equal(undefined);
    }
  });
});

describe('connections of node:http that are between two requests', () => {
  it('are those of which not a byte of the next one has come', async () => {
    const responses: ServerResponse[] = [];
    const server = createHttpServer((_request, response) => responses.push(response)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onEnd(() => server.close());
    const sockets: Socket[] = [];
    server.on('connection', (socket: Socket) => sockets.push(socket));
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    onEnd(() => client.destroy());
    const isIdle = () => idleHttpSockets(server)!.includes(sockets[0]!);
    client.write('GET / HT');
    await waitFor('half a request', () => sockets[0]?.bytesRead === 8);
    expect(isIdle()).to.equal(false);
    client.write('TP/1.1\r\nHost: test\r\n\r\n');
    await waitFor('a request', () => responses.length === 1);
    responses[0]!.end('x');
    await once(client, 'data');
    expect(isIdle()).to.equal(true);
    client.write('G');
    await waitFor('a byte', () => !isIdle());
  });

  it('are not known without private API', () => {
    process.env['EVY_PRIVATE_API'] = 'off';
    onEnd(() => delete process.env['EVY_PRIVATE_API']);
    expect(idleHttpSockets(createHttpServer())).to.equal(undefined);
  });
});
