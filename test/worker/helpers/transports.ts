/** Connections that were just accepted, as transports of each kind, and what is seen of them at both ends. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { acceptRaw, type Transport, type TransportOwner } from '../../../src/shared/node-private/node-private.ts';
import { StreamTransport } from '../../../src/worker/transport/stream-transport.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';

export const kinds = ['on a handle', 'on a stream'] as const;
export const networks = ['TCP', 'a unix socket'] as const;
export type Kind = (typeof kinds)[number];
export type Network = (typeof networks)[number];

/** More than the kernel takes while the client does not read. */
export const much = Buffer.alloc(8 * 2 ** 20, 'abcdefg');

export const turns = async (): Promise<void> => {
  for (let count = 0; count < 5; count += 1) await new Promise((resolve) => setImmediate(resolve));
};

/** Notes what it is told. */
export class Listener implements TransportOwner {
  heard = '';
  readonly events: string[] = [];
  onReceive: () => void = () => {};

  receive(buffer: Buffer, length: number): void {
    this.heard += buffer.toString('latin1', 0, length);
    this.onReceive();
  }
  ended(): void {
    this.events.push('ended');
  }
  written(): void {
    this.events.push('written');
  }
  closed(): void {
    this.events.push('closed');
  }
}

export interface Pair {
  transport: Transport;
  client: Socket;
  owner: Listener;
  /** what came to the client, once it reads */
  collect(): () => string;
}

/** A connection that was just accepted. Nobody has it yet, and its client does not read. */
export async function accepted(kind: Kind, network: Network = 'TCP'): Promise<Pair> {
  const path = network === 'TCP' ? undefined : join(await tempFolder(), 's');
  const arrived: Transport[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  if (kind === 'on a stream') server.on('connection', (socket) => arrived.push(new StreamTransport(socket)));
  if (path === undefined) server.listen(0, '127.0.0.1');
  else server.listen(path);
  await once(server, 'listening');
  if (kind === 'on a handle') {
    expect(acceptRaw(server, (transport) => void arrived.push(transport))).to.equal(true);
  }
  onEnd(() => server.close());
  const client = path === undefined ? connect((server.address() as AddressInfo).port, '127.0.0.1') : connect(path);
  client.pause().on('error', () => {});
  client.allowHalfOpen = true;
  onEnd(() => void client.destroy());
  await waitFor('the connection', () => arrived.length === 1);
  const transport = arrived[0]!;
  onEnd(() => transport.destroy());
  const collect = () => {
    const parts: Buffer[] = [];
    client.on('data', (bytes: Buffer) => parts.push(bytes)).resume();
    return () => Buffer.concat(parts).toString('latin1');
  };
  return { transport, client, owner: new Listener(), collect };
}

export async function served(kind: Kind, network?: Network): Promise<Pair> {
  const pair = await accepted(kind, network);
  pair.transport.setOwner(pair.owner);
  return pair;
}
