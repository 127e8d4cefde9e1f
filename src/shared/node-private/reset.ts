/**
 * RST without a FIN before it, which `resetAndDestroy()` would send. Fallback: the connection is closed, with whatever the
 * kernel sends.
 */
import type net from 'node:net';
import { privateApiIsOff, rawHandleOf } from './raw.ts';

/**
 * Ends a TCP connection with RST and nothing before it: where FIN would mean that a response is whole. On TLS the
 * missing close_notify says the same; on a unix socket nothing can.
 */
export function resetNow(socket: net.Socket): void {
  if (!privateApiIsOff()) (socket as unknown as { resetAndClosing: boolean }).resetAndClosing = isPlainTcp(socket);
  socket.destroy();
}

/** Only a TCP handle has `reset`: not a pipe, and not what TLS puts in its place. */
function isPlainTcp(socket: net.Socket): boolean {
  return typeof (rawHandleOf(socket) as { reset?: unknown } | undefined)?.reset === 'function';
}
