/**
 * Creates raw connections: from a net.Server whose `onconnection` is replaced, and from handles of other processes. The
 * master probes every operation once and tells its workers. Fallback: sockets, which cost more.
 */
import net from 'node:net';
import { toError } from '../errors.ts';
import type { PassedHandle } from './moving.ts';
import { RawConnection } from './raw-connection.ts';
import type { RawHandle } from './raw.ts';
import { giveUpReset, resetNow } from './reset.ts';
import { giveUpStreamWrap, isStreamHandle, streamWrap } from './stream-wrap.ts';
import { within, withServer } from './trials.ts';
import type { TrialAddress } from './trials.ts';
import type { StreamHandle } from './stream-wrap.ts';
import type { Transport, TransportOwner } from './transport.ts';

/** The local address of a connection. */
export interface LocalEnd {
  readonly address: string;
  readonly port: string;
}

/**
 * The local address that all connections of a server share, which saves a system call per connection. Undefined for a
 * unix socket, and for a server on a wildcard address, whose connections may have different ones.
 */
function localEndOf(server: net.Server): LocalEnd | undefined {
  const bound = server.address();
  if (bound === null || typeof bound === 'string' || bound.address === '0.0.0.0' || bound.address === '::')
    return undefined;
  return { address: bound.address, port: String(bound.port) };
}

/** Makes a listening server accept raw connections. Returns false, and changes nothing, where that is not possible. */
export function acceptRaw(
  server: net.Server,
  accept: (connection: Transport, local: LocalEnd | undefined) => void,
): boolean {
  const handle = (server as unknown as { _handle: RawHandle | null })._handle;
  const wrap = streamWrap();
  if (wrap === undefined || typeof handle?.onconnection !== 'function') return false;
  const local = localEndOf(server);
  handle.onconnection = (_status, client) => {
    // The accept failed. (When descriptors run out, libuv closes waiting connections:
    // worker/accepting/descriptor-watch.ts.)
    if (client === undefined) return;
    client.setNoDelay?.(true);
    accept(new RawConnection(client as StreamHandle, wrap), local);
  };
  return true;
}

/** Makes a raw connection of a handle from another process; undefined where a socket must be used. */
export function rawConnection(handle: PassedHandle): Transport | undefined {
  const wrap = streamWrap();
  return wrap !== undefined && isStreamHandle(handle) ? new RawConnection(handle, wrap) : undefined;
}

/** more than the kernel buffers for a connection that is not read */
const mostWritten = 1 << 26;

/**
 * Writes in every way that is used, until a write does not fit into the kernel's buffer. Returns the number of bytes.
 */
function writeInEveryWay(connection: Transport): number {
  const answer = Buffer.from('x');
  const piece = Buffer.alloc(65_536);
  for (const [name, data] of Object.entries({ latin1: 'x', writeBuffer: [answer], writev: [answer, answer] })) {
    const isWritten = connection.write(data);
    if (connection.isDestroyed) throw new Error(`a write by ${name} fails`);
    if (!isWritten) throw new Error(`a short write by ${name} has to wait`);
  }
  let written = 4;
  do {
    if (written > mostWritten) throw new Error('no write ever has to wait');
    written += piece.length;
  } while (connection.write([piece]));
  if (connection.isDestroyed) throw new Error('a write that has to wait fails');
  return written;
}

/** Resolves with the number of bytes that a client reads up to the end, and the number that were written. */
function readInFull(server: net.Server, connect: (onread: net.OnReadOpts) => net.Socket): Promise<[number, number]> {
  return new Promise((resolve, reject) => {
    let written = 0;
    let read = 0;
    const callback = (length: number) => Number.isInteger((read += length));
    const client = connect({ buffer: Buffer.alloc(65_536), callback });
    const accept = (connection: Transport) => {
      const receive = () => {
        try {
          written = writeInEveryWay(connection);
          client.resume();
        } catch (error) {
          connection.destroy();
          reject(toError(error));
        }
      };
      // The connection is ended when the pending write is done.
      connection.setOwner({ receive, ended() {}, written: () => connection.end(), closed() {} });
    };
    if (!acceptRaw(server, accept)) reject(new Error('the handle of a net.Server does not tell of its connections'));
    // The client reads nothing until a write of the server is pending.
    client.pause();
    client.on('error', reject).on('end', () => resolve([read, written]));
    client.write('x');
  });
}

/** Checks that raw connections work on this Node. @throws {Error} with the reason when they do not */
export async function tryRaw(): Promise<void> {
  if (streamWrap() === undefined) throw new Error('process.binding() does not give stream_wrap');
  let client: net.Socket | undefined;
  try {
    await withServer(async (server, where) => {
      const [read, written] = await within(
        readInFull(server, (onread) => (client = net.connect({ ...where, onread, allowHalfOpen: true }))),
        'a raw connection does not finish its answer',
      );
      if (read !== written) throw new Error(`of ${written} bytes that were written ${read} arrive`);
    }, 'unix');
  } catch (error) {
    giveUpStreamWrap();
    throw error;
  } finally {
    client?.destroy();
  }
}

/**
 * Resolves with how a client sees the end of a connection: 'ECONNRESET' after a reset, 'end' after an orderly close.
 */
function endSeenBy(where: TrialAddress): Promise<string> {
  return new Promise((resolve) => {
    const client = net.connect(where);
    client.on('error', ({ code }: NodeJS.ErrnoException) => resolve(code ?? 'error'));
    client.on('end', () => resolve('end')).resume();
    client.write('x');
  });
}

/** Checks that a client can distinguish a reset from a close, for sockets and for raw connections. */
export async function tryReset(): Promise<void> {
  const owner = (reset: () => void): TransportOwner => ({ receive: reset, ended() {}, written() {}, closed() {} });
  try {
    await withServer(async (server, where) => {
      server.once('connection', (socket) => socket.once('data', () => resetNow(socket)).on('error', () => {}));
      const see = async (what: string) => {
        const seen = await within(endSeenBy(where), `a reset ${what} does not end`);
        if (seen !== 'ECONNRESET') throw new Error(`the client of a reset ${what} sees '${seen}'`);
      };
      await see('socket');
      if (acceptRaw(server, (connection) => connection.setOwner(owner(() => connection.reset()))))
        await see('raw connection');
    }, 'tcp');
  } catch (error) {
    giveUpReset();
    throw error;
  }
}
