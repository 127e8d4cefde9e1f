/**
 * Writes log lines to standard error or a file, immediately and in order, without ever blocking. Lines that a full pipe
 * or disk rejects wait in memory up to a limit; lines beyond it are dropped and counted. (The access log writes batches
 * instead: src/worker/access-log/batches.ts. Here a line is written before the next statement runs, since the process
 * may be about to exit.)
 *
 * A partly written line is completed before anything else, or, where that fails for good, ended by a line break, so
 * that two lines are never joined.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { atExit, finished } from './at-exit.ts';
import { openUnblocked, writeAtEnd } from './nonblocking-write.ts';
import { descriptorStatusOf } from '../file-status.ts';

/** the limit of waiting lines, for a pipe without a reader or a full disk */
const maxWaitingBytes = 1 << 18;
/** how soon to retry a full pipe, and a full disk */
const pipeAgainMs = 50;
const diskAgainMs = 1_000;

const lineEnd = Buffer.from('\n');

/** Opening a named pipe must not block either; without a reader the open fails. */
const appending = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;

/** Returns the delay before the next attempt when a pipe or disk is full; undefined for any other error. */
function againAfterMs(error: unknown): number | undefined {
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EAGAIN':
      return pipeAgainMs;
    case 'ENOSPC':
    case 'EDQUOT':
      return diskAgainMs;
    default:
      return undefined;
  }
}

/** The file may be the same as before; then its last line is still incomplete. */
function isSameFile(one: number, other: number): boolean {
  const [a, b] = [descriptorStatusOf(one), descriptorStatusOf(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

/** A line that waits, with the number of its bytes already written. */
interface Waiting {
  readonly bytes: Buffer;
  taken: number;
}

export class LogDestination {
  readonly #path: string | undefined;
  /** called when writing works again, with the number of lost lines */
  readonly #onLost: (lines: number) => void;
  readonly #writeSync: (fd: number, bytes: Buffer) => number;
  #fd: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #againMs = pipeAgainMs;
  #timer: NodeJS.Timeout | undefined;
  #lost = 0;
  /** whether the last write failed */
  #fails = false;
  /** whether the last line in the file is incomplete and will stay so */
  #isTorn = false;

  /** Appends to the file, or writes to standard error. @throws the error of open(2) */
  constructor(
    path: string | undefined,
    onLost: (lines: number) => void,
    write: (fd: number, bytes: Buffer) => number = writeSync,
  ) {
    this.#path = path;
    this.#onLost = onLost;
    this.#writeSync = write;
    this.#fd = path === undefined ? unblockedError() : openSync(path, appending);
  }

  write(line: string): void {
    const one = { bytes: Buffer.from(line), taken: 0 };
    if (this.#waiting.length > 0 || !this.#tryWrite(one)) this.#wait(one);
    else this.#tellLost();
  }

  /** Opens the file of the same name again, and keeps the old one when that fails. Waiting lines go to the new file. */
  reopen(): void {
    if (this.#path === undefined) return;
    try {
      const fd = openSync(this.#path, appending);
      if (!isSameFile(fd, this.#fd)) {
        // A partly written line is completed in the old file, or written again as a whole in the new one.
        const [first] = this.#waiting;
        if (first !== undefined && first.taken > 0 && !this.#tryWrite(first)) first.taken = 0;
        this.#isTorn = false;
      }
      closeSync(this.#fd);
      this.#fd = fd;
      if (this.#waiting.length > 0) this.#again();
    } catch {
      // A log that cannot be written must not end the server.
    }
  }

  /** Returns whether the line is done: written, or lost because the write failed for good (the reader is gone). */
  #tryWrite(line: Waiting): boolean {
    try {
      if (this.#isTorn) this.#writeSync(this.#fd, lineEnd);
      this.#isTorn = false;
      line.taken += this.#writeSync(this.#fd, line.bytes.subarray(line.taken));
      this.#fails = false;
      return line.taken === line.bytes.length;
    } catch (error) {
      const againMs = againAfterMs(error);
      if (againMs !== undefined) {
        this.#againMs = againMs;
        return false;
      }
      this.#isTorn ||= line.taken > 0;
      this.#lost += 1;
      this.#fails = true;
      line.taken = line.bytes.length;
      return true;
    }
  }

  #wait(line: Waiting): void {
    // A partly written line is always kept, since its rest must follow.
    if (line.taken === 0 && this.#waitingBytes + line.bytes.length > maxWaitingBytes) {
      this.#lost += 1;
      return;
    }
    if (this.#waiting.length === 0) {
      atExit(this.#writeNow);
      this.#tryAgain();
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.bytes.length;
  }

  #tryAgain(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#again, this.#againMs).unref();
  }

  /**
   * One write per line: a pipe takes up to 4 KiB completely or not at all, so lines of several processes stay apart
   * (pipe(7)).
   */
  readonly #again = (): void => {
    for (const [index, line] of this.#waiting.entries()) {
      if (!this.#tryWrite(line)) {
        this.#waiting = this.#waiting.slice(index);
        this.#tryAgain();
        return;
      }
      this.#waitingBytes -= line.bytes.length;
    }
    clearTimeout(this.#timer);
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

  readonly #writeNow = (): void =>
    writeAtEnd(this.#fd, Buffer.concat(this.#waiting.map(({ bytes, taken }) => bytes.subarray(taken))));
}

let ownError: number | undefined;

/** The descriptor is opened once and shared by all loggers of the process. */
function unblockedError(): number {
  ownError ??= openUnblocked(2) ?? 2;
  return ownError;
}
