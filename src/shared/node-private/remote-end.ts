/**
 * getpeername(2) of a connection without the copy that a socket keeps for good once it was asked: 100 bytes for each idle
 * connection. Fallback: the socket is asked.
 */
import type net from 'node:net';
import { privateApiIsOff, rawHandleOf } from './raw.ts';
import type { End } from './transport.ts';

export function remoteEnd(socket: net.Socket): End {
  const handle = rawHandleOf(socket);
  if (typeof handle?.getpeername !== 'function' || 'encrypted' in socket || privateApiIsOff())
    return { address: socket.remoteAddress, port: socket.remotePort };
  const end: End = {};
  handle.getpeername(end);
  return end;
}
