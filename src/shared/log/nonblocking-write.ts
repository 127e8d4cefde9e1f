/**
 * Non-blocking writes to pipes and terminals whose reader may be slow or stuck. A blocking write to a full pipe would
 * stop the whole process.
 *
 * O_NONBLOCK must not be set on standard error itself, since the flag belongs to the open file, which other processes
 * share. On Linux, opening the path under /proc creates a separate open file for the same reader.
 */
import { constants, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { descriptorStatusOf } from '../file-status.ts';

/** The pause between two attempts to write to a full pipe at exit, and the number of attempts. */
const againMs = 10;
const attemptsAtEnd = 50;

/**
 * Opens another descriptor for the same pipe or terminal, whose writes fail with EAGAIN instead of blocking. Returns
 * undefined for a file (which does not block), a socket, a pipe of another user, and on systems other than Linux.
 */
export function openUnblocked(fd: number): number | undefined {
  try {
    if (!descriptorStatusOf(fd).isFIFO() && !isatty(fd)) return undefined;
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
}

function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Writes at exit. It retries a full pipe for half a second in all, and gives up then or at any other error. */
export function writeAtEnd(fd: number, bytes: Buffer): void {
  let at = 0;
  for (let attempt = 0; at < bytes.length && attempt < attemptsAtEnd;) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
      attempt += 1;
      wait(againMs);
    }
  }
}
