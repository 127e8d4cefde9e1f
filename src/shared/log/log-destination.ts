/**
 * Where log lines go: standard error or a file, at once and in order, but never waiting for a reader. What a full pipe
 * or a full disk does not take waits in memory up to a limit; lines beyond it are dropped and counted. (The access log collects
 * batches instead: src/worker/access-log/batches.ts. Here a line is out before the next statement runs, since the process may be
 * about to end.)
 *
 * A line that was taken in part is completed before anything else, or, where that fails for good, ended by a line break: no two are
 * glued together.
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { atExit, finished } from './at-exit.ts';
import { openUnblocked, writeAtEnd } from './descriptor.ts';
import { descriptorStatusOf } from '../file-status.ts';

/** for a pipe that nobody reads, and a disk without room */
const maxWaitingBytes = 1 << 18;
/** a pipe is tried again so soon, a disk so late */
const pipeAgainMs = 50;
const diskAgainMs = 1_000;

const lineEnd = Buffer.from('\n');

/** A pipe with a name does not wait, either; one without a reader cannot be opened. */
const appending = constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY | constants.O_NONBLOCK;

/** When what is full may have room again; undefined when the error is another one. */
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

/** It may not have been moved away: what is torn in it is torn still. */
function isSameFile(one: number, other: number): boolean {
  const [a, b] = [descriptorStatusOf(one), descriptorStatusOf(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

/** A line, of which so many bytes are written. */
interface Waiting {
  readonly bytes: Buffer;
  taken: number;
}

export class LogDestination {
  readonly #path: string | undefined;
  /** Lines get through again; so many were lost. */
  readonly #onLost: (lines: number) => void;
  readonly #writeSync: (fd: number, bytes: Buffer) => number;
  #fd: number;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #againMs = pipeAgainMs;
  #timer: NodeJS.Timeout | undefined;
  #lost = 0;
  /** the last write did */
  #fails = false;
  /** the last line in the file has no end, and will not get its own */
  #isTorn = false;

  /** Appends to the file, or writes to standard error. @throws what open(2) fails with */
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
    if (this.#waiting.length > 0 || !this.#take(one)) this.#wait(one);
    else this.#tellLost();
  }

  /** Opens the file of the same name anew; the old one is kept when that fails. What waits goes to the new one. */
  reopen(): void {
    if (this.#path === undefined) return;
    try {
      const fd = openSync(this.#path, appending);
      if (!isSameFile(fd, this.#fd)) {
        // A line that has begun ends where it began, or is written anew.
        const [first] = this.#waiting;
        if (first !== undefined && first.taken > 0 && !this.#take(first)) first.taken = 0;
        this.#isTorn = false;
      }
      closeSync(this.#fd);
      this.#fd = fd;
      if (this.#waiting.length > 0) this.#again();
    } catch {
      // A log that cannot be written must not end the server.
    }
  }

  /** Whether it need not be written again: it is written, or its write failed for good (the reader is gone) and it is lost. */
  #take(line: Waiting): boolean {
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
    // What has begun is kept in any case: it is one line, and its rest has to follow.
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

  /** Line by line: a pipe takes up to 4 KiB whole or not at all, so lines of several processes stay apart (pipe(7)). */
  readonly #again = (): void => {
    for (const [index, line] of this.#waiting.entries()) {
      if (!this.#take(line)) {
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

/** Opened once for all loggers of the process. */
function unblockedError(): number {
  ownError ??= openUnblocked(2) ?? 2;
  return ownError;
}
