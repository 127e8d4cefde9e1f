/**
 * Moves connections to another process. The documented `process.send(message, socket)` keeps reading in the sender
 * until the receiver has confirmed, drops what it reads meanwhile (nodejs/node#8353), and reads again in every process
 * that it passes through. So the raw handle is sent, which Node leaves alone. Private API: `socket._handle`, its
 * readStop, readStart and close, that `send()` accepts it, and `new net.Socket({ handle })` in the receiver. Fallback:
 * the connection stays, and is closed after a response that announces it.
 */
import net from 'node:net';
import { privateApiIsOff, rawHandleOf } from './raw.ts';
import type { RawHandle } from './raw.ts';
import { turns, within, withServer } from './trials.ts';

/** A connection as a channel transfers it. Its receiver must close it, which is only a close(2). */
export interface PassedHandle {
  close(): void;
}

/** Returns the handle that came with a message, if it is a connection that nothing reads. */
export function passedHandle(value: unknown): PassedHandle | undefined {
  if (value instanceof net.Socket || value instanceof net.Server) return undefined;
  const handle = value as Partial<RawHandle> | null | undefined;
  return typeof handle?.readStop === 'function' && typeof handle.close === 'function'
    ? (handle as RawHandle)
    : undefined;
}

export interface Detached {
  readonly handle: PassedHandle;
  /** bytes that were received but not delivered */
  readonly rest: Buffer | undefined;
}

/**
 * Stops reading, so that new bytes from the client wait in the kernel. Returns undefined, and changes nothing, when
 * output is pending or the handle cannot be sent. The caller must have removed 'data' listeners.
 */
export function detach(socket: net.Socket): Detached | undefined {
  const handle = rawHandleOf(socket);
  if (privateApiIsOff() || socket.destroyed || socket.writableEnded || socket.writableLength > 0) return undefined;
  if (typeof handle?.readStop !== 'function' || handle.writeQueueSize !== 0) return undefined;
  // This comes first, since read() may start reading from the handle again.
  const rest = socket.readableLength > 0 ? (socket.read() as Buffer | null) : null;
  handle.reading = false;
  handle.readStop();
  return { handle, rest: rest ?? undefined };
}

/** Continues reading after `detach`, when the other process did not receive the connection. */
export function reattach(socket: net.Socket): void {
  const handle = rawHandleOf(socket);
  if (handle === undefined) return;
  handle.reading = true;
  handle.readStart();
}

/** Makes a socket for a connection from another process; its bytes arrive from the next turn of the event loop on. */
export function attach(handle: PassedHandle): net.Socket {
  const options = { handle, allowHalfOpen: true, readable: true, writable: true };
  return new net.Socket(options);
}

/**
 * Sends a byte each way, and checks that the server end does not read between detach and reattach. Whether a channel
 * transfers the handle is checked at each move: the origin keeps a connection that does not arrive
 * (worker/migration/mover.ts).
 */
export async function tryMoving(): Promise<void> {
  const sockets: net.Socket[] = [];
  const events = <T>(emitter: NodeJS.EventEmitter, name: string) =>
    new Promise<T>((resolve, reject) => emitter.once(name, resolve).once('error', reject));
  try {
    await withServer(async (server, where) => {
      const client = net.connect(where);
      sockets.push(client);
      const accepted = await events<net.Socket>(server, 'connection');
      sockets.push(accepted);
      let heard = '';
      accepted.on('data', (bytes: Buffer) => {
        heard += bytes.toString('latin1');
        accepted.write('y');
      });
      const passed = detach(accepted);
      if (passedHandle(passed?.handle) === undefined) throw new Error('a connection cannot be detached');
      // The byte was written, looped back and polled for: a handle that is still read would deliver it within these
      // turns.
      await new Promise<void>((resolve) => client.write('x', () => resolve()));
      await turns();
      if (heard !== '') throw new Error('a detached connection is still read');
      const answered = events(client, 'data');
      reattach(accepted);
      await within(answered, 'a connection that is attached again is not read');
    }, 'tcp');
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}
