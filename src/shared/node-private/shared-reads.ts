/**
 * Connections that read into one buffer of the process. `onread` does that for clients; a net.Server does not pass it on, so its
 * `onconnection` is taken over. Fallback: 'data' events, with a buffer of 64 KiB allocated for each read.
 */
import net from 'node:net';
import { privateApiIsOff } from './raw.ts';
import type { RawHandle } from './raw.ts';

/**
 * Whoever takes the bytes of a connection: the first `length` of `buffer`, which are only good until this returns. `false` stops
 * the reading until the stream is read, as `push()` says it.
 */
export interface Receiver {
  receive(buffer: Buffer, length: number): unknown;
}

/** Our end of a connection. */
export interface LocalEnd {
  readonly address: string;
  readonly port: string;
}

/**
 * Where it is the same for all connections of a server: asking each would be a system call. Undefined for a server on all addresses, whose connections
 * each have one of them, and for a unix socket.
 */
function localEnd(server: net.Server): LocalEnd | undefined {
  const bound = server.address();
  if (bound === null || typeof bound === 'string' || bound.address === '0.0.0.0' || bound.address === '::')
    return undefined;
  return { address: bound.address, port: String(bound.port) };
}

/** On the socket, so that one callback does for all: a closure for each connection would be kept as long as it is idle. */
const receiver = Symbol('receiver');

interface SharingSocket extends net.Socket {
  [receiver]: Receiver;
}

const nobody: Receiver = { receive() {} };
const sharedBuffer = Buffer.allocUnsafeSlow(65_536);

/** Node calls it as a method of the socket. */
function onRead(this: SharingSocket, length: number): boolean {
  return this[receiver].receive(sharedBuffer, length) !== false;
}

/** Gives a connection's bytes to `to` from now on. False, with nothing changed, for one that does not read into the shared buffer. */
export function receiveFrom(socket: net.Socket, to: Receiver): boolean {
  if (!(receiver in socket)) return false;
  (socket as SharingSocket)[receiver] = to;
  return true;
}

/** Gives bytes to whoever receives those of a connection. */
export function deliverTo(socket: net.Socket, bytes: Buffer, length = bytes.length): void {
  (socket as SharingSocket)[receiver].receive(bytes, length);
}

/** Makes `receiveFrom` work on a socket. */
export function markAsSharing(socket: net.Socket): void {
  (socket as SharingSocket)[receiver] = nobody;
}

/** A connection on `handle` that reads into the shared buffer, from the next turn of the event loop on. */
export function sharingSocket(handle: RawHandle): net.Socket {
  const options = { handle, allowHalfOpen: true, onread: { buffer: sharedBuffer, callback: onRead } };
  const socket = new net.Socket({ ...options, readable: true, writable: true });
  markAsSharing(socket);
  return socket;
}

/** Makes the connections of a listening server read into one buffer. Returns false, changing nothing, where it cannot. */
export function shareReadBuffer(
  server: net.Server,
  accept: (socket: net.Socket, local: LocalEnd | undefined) => void,
): boolean {
  const handle = (server as unknown as { _handle: RawHandle | null })._handle;
  if (privateApiIsOff() || typeof handle?.onconnection !== 'function') return false;
  const local = localEnd(server);
  handle.onconnection = (_status, client) => {
    // An accept that failed. (Without a descriptor left libuv closes what waits: worker/descriptor-watch.ts.)
    if (client === undefined) return;
    client.setNoDelay?.(true);
    accept(sharingSocket(client), local);
  };
  return true;
}
