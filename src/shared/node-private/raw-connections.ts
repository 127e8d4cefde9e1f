/**
 * Where connections on libuv's handles come from: a net.Server whose `onconnection` is taken over, and other processes. Tried once a process;
 * fallback: sockets, which cost more.
 */
import net from 'node:net';
import type { PassedHandle } from './moving.ts';
import { RawConnection } from './raw-connection.ts';
import type { RawHandle } from './raw.ts';
import { giveUpStreamWrap, isStreamHandle, streamWrap } from './stream-wrap.ts';
import type { StreamHandle } from './stream-wrap.ts';
import type { Transport, TransportOwner } from './transport.ts';

/** Our end of a connection. */
export interface LocalEnd {
  readonly address: string;
  readonly port: string;
}

/**
 * Where it is the same for all connections of a server: asking each would be a system call. Undefined for a server on all addresses, whose connections
 * each have one of them, and for a unix socket.
 */
function localEndOf(server: net.Server): LocalEnd | undefined {
  const bound = server.address();
  if (bound === null || typeof bound === 'string' || bound.address === '0.0.0.0' || bound.address === '::')
    return undefined;
  return { address: bound.address, port: String(bound.port) };
}

/** Makes the connections of a listening server raw ones. Returns false, changing nothing, where it cannot. */
export function acceptRaw(
  server: net.Server,
  accept: (connection: Transport, local: LocalEnd | undefined) => void,
): boolean {
  const handle = (server as unknown as { _handle: RawHandle | null })._handle;
  const wrap = streamWrap();
  if (wrap === undefined || typeof handle?.onconnection !== 'function') return false;
  const local = localEndOf(server);
  handle.onconnection = (_status, client) => {
    // An accept that failed. (Without a descriptor left libuv closes what waits: worker/descriptor-watch.ts.)
    if (client === undefined) return;
    client.setNoDelay?.(true);
    accept(new RawConnection(client as StreamHandle, wrap), local);
  };
  return true;
}

/** A connection that came from another process; undefined where it has to be a socket. */
export function rawConnection(handle: PassedHandle): Transport | undefined {
  const wrap = streamWrap();
  return wrap !== undefined && isStreamHandle(handle) ? new RawConnection(handle, wrap) : undefined;
}

const trialDeadlineMs = 5_000;

/** Reads, answers at once and ends, as the HTTP loop does. `handle` is one that listens, and not for net.Server. */
function serveOnce(handle: RawHandle, failed: (reason: Error) => void): void {
  handle.onconnection = (_status, client) => {
    const connection = client === undefined ? undefined : rawConnection(client);
    if (connection === undefined) {
      client?.close();
      failed(new Error("connections have not the methods of libuv's streams"));
      return;
    }
    const owner: TransportOwner = {
      receive: (buffer, length) => {
        const answer = Buffer.from(buffer.subarray(0, length));
        if (!connection.write(answer.toString('latin1')) || !connection.write([answer, answer]))
          failed(new Error('a short write has to wait'));
      },
      ended: () => connection.end(),
      written() {},
      closed() {},
    };
    connection.handTo(owner);
  };
}

/** A byte there, three back, and both ends: whether raw connections work on this Node. `listen` gives a handle that accepts on a port. */
export async function tryRaw(listen: () => { handle: RawHandle; port: number }): Promise<void> {
  if (streamWrap() === undefined) throw new Error('process.binding() does not give stream_wrap');
  const { handle, port } = listen();
  let client: net.Socket | undefined;
  let timer: NodeJS.Timeout | undefined;
  try {
    const heard = await new Promise<string>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error('a raw connection does not answer')), trialDeadlineMs);
      serveOnce(handle, reject);
      let text = '';
      client = net.connect(port, '127.0.0.1').on('error', reject);
      client.on('data', (bytes: Buffer) => (text += bytes.toString('latin1'))).on('close', () => resolve(text));
      client.end('x');
    });
    if (heard !== 'xxx') throw new Error('a raw connection does not echo');
  } catch (error) {
    giveUpStreamWrap();
    throw error;
  } finally {
    clearTimeout(timer);
    client?.destroy();
    handle.close();
  }
}
