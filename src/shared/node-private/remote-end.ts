/**
 * getpeername(2) without the cached copy that a socket keeps after its `remoteAddress` was read: 100 bytes per idle
 * connection. Fallback: the socket's own properties.
 */
import type net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { privateApiIsOff, rawHandleOf } from './raw.ts';
import { socketBelow } from './tls.ts';
import type { End } from './transport.ts';

/** An instanceof check would load node:tls. */
const isTls = (socket: net.Socket): socket is TLSSocket => 'encrypted' in socket;

export function remoteEnd(socket: net.Socket): End {
  const handle = rawHandleOf(socket);
  if (isTls(socket) && socket.remoteAddress === undefined) {
    // After a reset only the socket below may still know the address, if it was read before.
    const below = socketBelow(socket);
    return { address: below?.remoteAddress, port: below?.remotePort };
  }
  if (typeof handle?.getpeername !== 'function' || isTls(socket) || privateApiIsOff())
    return { address: socket.remoteAddress, port: socket.remotePort };
  const end: End = {};
  handle.getpeername(end);
  return end;
}

/**
 * Whether both sides of a TCP connection have ended, or it was reset: the kernel knows no peer then. Fallback: false,
 * and the connection is kept until a time-out.
 */
export function isConnectionOver(socket: net.Socket): boolean {
  if (privateApiIsOff()) return false;
  const status: unknown = rawHandleOf(socket)?.getpeername?.({});
  return typeof status === 'number' && status !== 0;
}
