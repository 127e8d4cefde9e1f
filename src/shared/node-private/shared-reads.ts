/**
 * Connections that read into one buffer of the process. `onread` does that for clients; a net.Server does not pass it on, so its
 * `onconnection` is taken over. Fallback: 'data' events, with a buffer of 64 KiB allocated for each read.
 */
import net from 'node:net';
import { privateApiIsOff } from './raw.ts';
import type { RawHandle } from './raw.ts';

/** Whoever takes the bytes of a connection: the first `length` of `buffer`, which are only good until this returns. */
export interface Receiver {
  receive(buffer: Buffer, length: number): void;
}

/** Where the bytes of a connection go that reads into the shared buffer. */
export interface SharedReads {
  receiver: Receiver;
  /** our end, where it is the same for all connections of the server: asking each would be a system call */
  readonly local?: LocalEnd | undefined;
}

export interface LocalEnd {
  readonly address: string;
  readonly port: string;
}

/** Undefined for a server on all addresses, whose connections each have one of them, and for a unix socket. */
function localEnd(server: net.Server): LocalEnd | undefined {
  const bound = server.address();
  if (bound === null || typeof bound === 'string' || bound.address === '0.0.0.0' || bound.address === '::')
    return undefined;
  return { address: bound.address, port: String(bound.port) };
}

const nobody: Receiver = { receive() {} };

export interface SharedSocket {
  readonly socket: net.Socket;
  readonly reads: SharedReads;
}

const sharedBuffer = Buffer.allocUnsafeSlow(65_536);

/** A connection on `handle` that reads into the shared buffer, from the next turn of the event loop on. */
export function sharedSocket(handle: RawHandle, local?: LocalEnd): SharedSocket {
  const reads: SharedReads = { receiver: nobody, local };
  const callback = (length: number): boolean => {
    reads.receiver.receive(sharedBuffer, length);
    return true;
  };
  const options = { handle, allowHalfOpen: true, onread: { buffer: sharedBuffer, callback } };
  return { socket: new net.Socket({ ...options, readable: true, writable: true }), reads };
}

/** Makes the connections of a listening server read into one buffer. Returns false, changing nothing, where it cannot. */
export function shareReadBuffer(server: net.Server, accept: (socket: net.Socket, reads: SharedReads) => void): boolean {
  const handle = (server as unknown as { _handle: RawHandle | null })._handle;
  if (privateApiIsOff() || typeof handle?.onconnection !== 'function') return false;
  const local = localEnd(server);
  handle.onconnection = (_status, client) => {
    // An accept that failed. (Without a descriptor left libuv closes what waits: worker/descriptor-watch.ts.)
    if (client === undefined) return;
    client.setNoDelay?.(true);
    const { socket, reads } = sharedSocket(client, local);
    accept(socket, reads);
  };
  return true;
}
