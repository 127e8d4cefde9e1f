/**
 * Descriptors whose reader may be slow or stuck. A write to a full pipe waits, and a process that waits serves nobody.
 *
 * O_NONBLOCK belongs to the open file, which standard error shares with other processes: it must not be set there. Linux
 * opens a pipe or a terminal anew by its name under /proc, which gives an open file of our own to the same reader.
 */
import { constants, openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { descriptorStatusOf } from '../file-status.ts';

/** How often, and after which pauses, a full pipe is tried when the process ends. */
const againMs = 10;
const attemptsAtEnd = 50;

/**
 * Another descriptor for the same pipe or terminal, whose writes fail with EAGAIN instead of waiting. Undefined where
 * there is none: for a file, which does not wait; for a socket, a pipe of another user, and off Linux.
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

/** At the end of the process: waits half a second in all for a pipe that is full, and gives up then, or at an error. */
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
