/**
 * RST without a FIN before it, which `resetAndDestroy()` would send. Private are the `reset` of a TCP handle and `resetAndClosing`, which
 * makes a socket's `destroy()` call it. Fallback: the connection is closed, with whatever the kernel sends.
 */
import type net from 'node:net';
import { privateApiIsOff, rawHandleOf } from './raw.ts';

let isGivenUp = false;

/** It does not do what it should: nobody is to use it. */
export function giveUpReset(): void {
  isGivenUp = true;
}

export function resetIsGivenUp(): boolean {
  return isGivenUp;
}

/** Only a TCP handle can: not a pipe, and not what TLS puts in its place. */
export function canReset(handle: object | undefined): boolean {
  if (isGivenUp || privateApiIsOff() || handle === undefined) return false;
  return 'reset' in handle && typeof handle.reset === 'function';
}

/**
 * Ends a TCP connection with RST and nothing before it: where FIN would mean that a response is whole. On TLS the
 * missing close_notify says the same; on a unix socket nothing can.
 */
export function resetNow(socket: net.Socket): void {
  if (canReset(rawHandleOf(socket))) (socket as unknown as { resetAndClosing: boolean }).resetAndClosing = true;
  socket.destroy();
}
