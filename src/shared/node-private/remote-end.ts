/**
 * getpeername(2) of a connection without the copy that a socket keeps for good once it was asked: 100 bytes for each idle
 * connection. Fallback: the socket is asked.
 */
import type net from 'node:net';
import { TLSSocket } from 'node:tls';
import { privateApiIsOff, rawHandleOf } from './raw.ts';
import { socketBelow } from './tls.ts';
import type { End } from './transport.ts';

export function remoteEnd(socket: net.Socket): End {
  const handle = rawHandleOf(socket);
  if (socket instanceof TLSSocket && socket.remoteAddress === undefined) {
    // After a reset nobody can say, unless he was asked before.
    const below = socketBelow(socket);
    return { address: below?.remoteAddress, port: below?.remotePort };
  }
  if (typeof handle?.getpeername !== 'function' || 'encrypted' in socket || privateApiIsOff())
    return { address: socket.remoteAddress, port: socket.remotePort };
  const end: End = {};
  handle.getpeername(end);
  return end;
}

/**
 * Whether both sides of a TCP connection have ended, or it was reset: then the system knows no peer any more. Fallback: false, so
 * that it is kept until a time-out.
 */
export function isConnectionOver(socket: net.Socket): boolean {
  if (privateApiIsOff()) return false;
  const status: unknown = rawHandleOf(socket)?.getpeername?.({});
  return typeof status === 'number' && status !== 0;
}
