/**
 * Connections that go to another process. A documented `process.send(message, socket)` keeps reading here until the other side has
 * confirmed, drops what it reads meanwhile (nodejs/node#8353), and is read again wherever it passes through. So the raw
 * handle is sent, which Node leaves alone: private are `socket._handle`, its readStop, readStart and close, that `send()` takes it,
 * and `new net.Socket({ handle })` at the other end. Fallback: the connection stays, and ends with an announced close.
 */
import net from 'node:net';
import { privateApiIsOff, rawHandleOf } from './raw.ts';
import type { RawHandle } from './raw.ts';
import { turns, within, withServer } from './trials.ts';

/** A connection as a channel between two processes carries it. Whoever has got one closes it: that is close(2), and no more. */
export interface PassedHandle {
  close(): void;
}

/** What a message brought along, if it is a connection that nobody reads. */
export function passedHandle(value: unknown): PassedHandle | undefined {
  if (value instanceof net.Socket || value instanceof net.Server) return undefined;
  const handle = value as Partial<RawHandle> | null | undefined;
  return typeof handle?.readStop === 'function' && typeof handle.close === 'function'
    ? (handle as RawHandle)
    : undefined;
}

export interface Detached {
  readonly handle: PassedHandle;
  /** bytes that were read and not delivered */
  readonly rest: Buffer | undefined;
}

/**
 * Stops reading: what the client sends from now on waits in the kernel. Undefined, with nothing changed, when bytes are still
 * on their way out or the handle is none that can be sent. 'data' listeners must have been taken off.
 */
export function detach(socket: net.Socket): Detached | undefined {
  const handle = rawHandleOf(socket);
  if (privateApiIsOff() || socket.destroyed || socket.writableEnded || socket.writableLength > 0) return undefined;
  if (typeof handle?.readStop !== 'function' || handle.writeQueueSize !== 0) return undefined;
  // First this: reading what is buffered may start reading again.
  const rest = socket.readableLength > 0 ? (socket.read() as Buffer | null) : null;
  handle.reading = false;
  handle.readStop();
  return { handle, rest: rest ?? undefined };
}

/** Reads on after `detach`, since the other side has not got it. */
export function reattach(socket: net.Socket): void {
  const handle = rawHandleOf(socket);
  if (handle === undefined) return;
  handle.reading = true;
  handle.readStart();
}

/** A socket on a connection that came from another process; its bytes begin to come in the next turn of the event loop. */
export function attach(handle: PassedHandle): net.Socket {
  const options = { handle, allowHalfOpen: true, readable: true, writable: true };
  return new net.Socket(options);
}

/**
 * Sends a byte to and fro and sees that the server end reads only between reattach and detach. That a channel carries the handle is
 * seen with each move: one that does not arrive is noticed, and its connection stays (worker/migration/mover.ts).
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
      // Written, looped back and polled for: a handle that is still read would tell of it within these turns.
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
