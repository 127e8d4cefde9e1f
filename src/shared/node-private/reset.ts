/**
 * Sends RST without a FIN before it, which `resetAndDestroy()` would send. Private API: `reset` of a TCP handle, and
 * `resetAndClosing`, which makes a socket's `destroy()` call it. Fallback: the connection is closed normally.
 */
import type net from 'node:net';
import { privateApiIsOff, rawHandleOf } from './raw.ts';

let isGivenUp = false;

/** Disables this part after its probe failed. */
export function giveUpReset(): void {
  isGivenUp = true;
}

export function resetIsGivenUp(): boolean {
  return isGivenUp;
}

/** Whether a handle can be reset: only a TCP handle can, neither a pipe nor the handle of a TLS socket. */
export function canReset(handle: object | undefined): boolean {
  if (isGivenUp || privateApiIsOff() || handle === undefined) return false;
  return 'reset' in handle && typeof handle.reset === 'function';
}

/**
 * Ends a TCP connection with RST and no FIN, where a FIN would mean that the response is complete. On TLS the missing
 * close_notify tells the same; a unix socket has no equivalent.
 */
export function resetNow(socket: net.Socket): void {
  if (canReset(rawHandleOf(socket))) (socket as unknown as { resetAndClosing: boolean }).resetAndClosing = true;
  socket.destroy();
}
