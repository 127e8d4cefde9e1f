/**
 * Connections that read into one buffer of the process. `onread` does that for clients; a net.Server does not pass it on, so its
 * `onconnection` is taken over. Fallback: 'data' events, with a buffer of 64 KiB allocated for each read.
 */
import net from 'node:net';
import { privateApiIsOff } from './raw.ts';
import type { RawHandle } from './raw.ts';

/** Where the bytes of a connection go that reads into the shared buffer: they are only good until this returns. */
export interface SharedReads {
  /** takes the first `length` bytes of `buffer` */
  deliver: (buffer: Buffer, length: number) => void;
}

export interface SharedSocket {
  readonly socket: net.Socket;
  readonly reads: SharedReads;
}

const sharedBuffer = Buffer.allocUnsafeSlow(65_536);

/** A connection on `handle` that reads into the shared buffer, from the next turn of the event loop on. */
export function sharedSocket(handle: RawHandle): SharedSocket {
  const reads: SharedReads = { deliver: () => {} };
  const callback = (length: number): boolean => {
    reads.deliver(sharedBuffer, length);
    return true;
  };
  const options = { handle, allowHalfOpen: true, onread: { buffer: sharedBuffer, callback } };
  return { socket: new net.Socket({ ...options, readable: true, writable: true }), reads };
}

/** Makes the connections of a listening server read into one buffer. Returns false, changing nothing, where it cannot. */
export function shareReadBuffer(server: net.Server, accept: (socket: net.Socket, reads: SharedReads) => void): boolean {
  const handle = (server as unknown as { _handle: RawHandle | null })._handle;
  if (privateApiIsOff() || typeof handle?.onconnection !== 'function') return false;
  handle.onconnection = (_status, client) => {
    // Without a descriptor left there is none to accept with: libuv tries again.
    if (client === undefined) return;
    client.setNoDelay?.(true);
    const { socket, reads } = sharedSocket(client);
    accept(socket, reads);
  };
  return true;
}
