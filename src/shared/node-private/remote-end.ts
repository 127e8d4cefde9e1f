/**
 * getpeername(2) of a connection without the copy that a socket keeps for good once it was asked: 100 bytes for each idle
 * connection. Fallback: the socket is asked.
 */
import type net from 'node:net';
import { privateApiIsOff, rawHandleOf } from './raw.ts';

/** Nothing is known of a unix socket, nor of a client that is gone. */
export interface RemoteEnd {
  address?: string | undefined;
  port?: number | undefined;
}

export function remoteEnd(socket: net.Socket): RemoteEnd {
  const handle = rawHandleOf(socket);
  if (typeof handle?.getpeername !== 'function' || 'encrypted' in socket || privateApiIsOff())
    return { address: socket.remoteAddress, port: socket.remotePort };
  const end: RemoteEnd = {};
  handle.getpeername(end);
  return end;
}
