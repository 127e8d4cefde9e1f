/**
 * Where log lines go: standard error or a file, at once and in order, but never waiting for a reader. What a full pipe
 * does not take waits in memory up to a limit; lines beyond it are dropped and counted. (The access log collects batches
 * instead: src/worker/access-log/batches.ts. Here a line is out before the next statement runs, since the process may be
 * about to end.)
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { atExit, finished } from './at-exit.ts';
import { openUnblocked, writeAtEnd } from './descriptor.ts';

/** for a pipe that nobody reads */
const maxWaitingBytes = 1 << 18;
const againMs = 50;

/** A pipe with a name does not wait, either; one without a reader cannot be opened. */
const appending = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;

const isFull = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'EAGAIN';

export class LogDestination {
  readonly #path: string | undefined;
  /** Lines get through again; so many were lost. */
  readonly #onLost: (lines: number) => void;
  #fd: number;
  /** the first of them may be the rest of a line */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #lost = 0;
  /** the last write did */
  #fails = false;

  /** Appends to the file, or writes to standard error. @throws what open(2) fails with */
  constructor(path: string | undefined, onLost: (lines: number) => void) {
    this.#path = path;
    this.#onLost = onLost;
    this.#fd = path === undefined ? unblockedError() : openSync(path, appending);
  }

  write(line: string): void {
    const bytes = Buffer.from(line);
    if (this.#waiting.length > 0) {
      this.#wait(bytes);
      return;
    }
    const taken = this.#taken(bytes);
    if (taken < bytes.length) this.#wait(bytes.subarray(taken));
    else this.#tellLost();
  }

  /** Opens the file of the same name anew; the old one is kept when that fails. */
  reopen(): void {
    if (this.#path === undefined) return;
    try {
      const fd = openSync(this.#path, appending);
      closeSync(this.#fd);
      this.#fd = fd;
    } catch {
      // A log that cannot be written must not end the server.
    }
  }

  /** How many bytes need not be written again. A write that failed (disk full, reader gone) is not tried twice. */
  #taken(bytes: Buffer): number {
    try {
      const taken = writeSync(this.#fd, bytes);
      this.#fails = false;
      return taken;
    } catch (error) {
      if (isFull(error)) return 0;
      this.#lost += 1;
      this.#fails = true;
      return bytes.length;
    }
  }

  #wait(bytes: Buffer): void {
    if (this.#waitingBytes + bytes.length > maxWaitingBytes) {
      this.#lost += 1;
      return;
    }
    if (this.#waiting.length === 0) {
      atExit(this.#writeNow);
      setTimeout(this.#again, againMs).unref();
    }
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
  }

  /** Line by line: a pipe takes up to 4 KiB whole or not at all, so lines of several processes stay apart (pipe(7)). */
  readonly #again = (): void => {
    for (const [index, bytes] of this.#waiting.entries()) {
      const taken = this.#taken(bytes);
      this.#waitingBytes -= taken;
      if (taken === bytes.length) continue;
      this.#waiting = [bytes.subarray(taken), ...this.#waiting.slice(index + 1)];
      setTimeout(this.#again, againMs).unref();
      return;
    }
    this.#waiting = [];
    finished(this.#writeNow);
    this.#tellLost();
  };

  #tellLost(): void {
    const lost = this.#lost;
    if (lost === 0 || this.#fails) return;
    this.#lost = 0;
    this.#onLost(lost);
  }

  readonly #writeNow = (): void => writeAtEnd(this.#fd, Buffer.concat(this.#waiting));
}

let ownError: number | undefined;

/** Opened once for all loggers of the process. */
function unblockedError(): number {
  ownError ??= openUnblocked(2) ?? 2;
  return ownError;
}
