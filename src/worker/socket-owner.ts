/**
 * Who serves a socket, in our own loop. The socket itself knows, so the listeners are the same few functions for all sockets: closures
 * would be kept for each of them as long as it is idle.
 */
import type { Socket } from 'node:net';
import { receiveFrom } from '../shared/node-private.ts';
import type { Receiver } from '../shared/node-private.ts';

/** Bytes come to `receive` in a buffer that is somebody else's afterwards, or to `received` to keep. */
export interface SocketOwner extends Receiver {
  received(bytes: Buffer): void;
  /** The client has shut down its side. */
  ended(): void;
  closed(): void;
}

const owner = Symbol('owner');

interface OwnedSocket extends Socket {
  [owner]: SocketOwner;
}

export function own(socket: Socket, by: SocketOwner): void {
  (socket as OwnedSocket)[owner] = by;
  if (!receiveFrom(socket, by)) socket.on('data', onData);
  socket.on('end', onEnd).on('error', ignoreError).on('close', onClose);
}

/** Nothing of the socket is told any more. */
export function disown(socket: Socket): void {
  socket.off('data', onData).off('end', onEnd).off('error', ignoreError).off('close', onClose);
}

/** Makes it a socket like any other, with `rest` as the first bytes to read. Of its owner remains that 'close' is told. */
export function giveAway(socket: Socket, rest: Buffer): void {
  socket.off('data', onData).off('end', onEnd).off('error', ignoreError);
  // Its readers are others from now on: bytes go the way of any stream.
  const receive = (buffer: Buffer, length: number): boolean => socket.push(Buffer.from(buffer.subarray(0, length)));
  const wasSharing = receiveFrom(socket, { receive });
  if (!wasSharing) socket.pause();
  if (rest.length > 0) socket.unshift(rest);
  // Not paused but not read yet either, as a fresh socket is: the first 'data' listener makes it flow.
  (socket as { readableFlowing: boolean | null }).readableFlowing = null;
  if (wasSharing) socket.read(0);
}

function onData(this: OwnedSocket, bytes: Buffer): void {
  this[owner].received(bytes);
}

function onEnd(this: OwnedSocket): void {
  this[owner].ended();
}

function onClose(this: OwnedSocket): void {
  this[owner].closed();
}

function ignoreError(): void {
  // 'close' follows and settles everything.
}
