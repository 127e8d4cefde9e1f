/** The sink of an access log that appends to a file, or writes to a descriptor such as standard output. */
import { close, open, write } from 'node:fs';
import { promisify } from 'node:util';
import { openUnblocked, writeAtEnd } from '../../shared/log/nonblocking-write.ts';
import { descriptorStatusOf } from '../../shared/file-status.ts';
import type { Sink, Written } from './batches.ts';

const openFile = promisify(open);
const ignore = (): void => {};

const fileBatchBytes = 262_144;
/**
 * The most that a pipe takes at once. With a larger batch, a process that exits during a write would not know how much
 * was written.
 */
const pipeBatchBytes = 65_536;

/** The interval at which a full pipe is retried. */
const againMs = 10;

export class FileSink implements Sink {
  readonly batchBytes: number;
  readonly #path: string | undefined;
  readonly #onError: (error: Error) => void;
  /** whether the descriptor is closed at the end */
  readonly #isOurs: boolean;
  #fd: number;
  #isWriting = false;
  /** the part that a full pipe has not taken yet */
  #waiting: Buffer | undefined;
  #isClosed = false;
  /** descriptors that were replaced during a write */
  #old: number[] = [];
  #reopening: 'no' | 'once' | 'again' = 'no';

  private constructor(fd: number, isOurs: boolean, path: string | undefined, onError: (error: Error) => void) {
    this.batchBytes = descriptorStatusOf(fd).isFile() ? fileBatchBytes : pipeBatchBytes;
    this.#fd = fd;
    this.#isOurs = isOurs;
    this.#path = path;
    this.#onError = onError;
  }

  /** Rejects when the file cannot be opened. Later errors are passed to `onError`. */
  static async open(path: string, onError: (error: Error) => void): Promise<FileSink> {
    return new FileSink(await openFile(path, 'a'), true, path, onError);
  }

  static ofDescriptor(fd: number): FileSink {
    const own = openUnblocked(fd);
    return new FileSink(own ?? fd, own !== undefined, undefined, ignore);
  }

  write(bytes: Buffer, written: Written): void {
    this.#isWriting = true;
    this.#waiting = undefined;
    write(this.#fd, bytes, 0, bytes.length, null, (error, taken) => {
      if (error?.code === 'EAGAIN') {
        this.#waiting = bytes;
        setTimeout(() => this.write(bytes, written), againMs).unref();
        return;
      }
      this.#isWriting = false;
      this.#closeOld();
      written(error === null ? taken : 0, error);
    });
  }

  writeNow(last: Buffer): void {
    const bytes = this.#waiting === undefined ? last : Buffer.concat([this.#waiting, last]);
    this.#waiting = undefined;
    writeAtEnd(this.#fd, bytes);
  }

  /** Files are opened one at a time: the newest file of that name counts. Until it is open, lines go to the old one. */
  reopen(): void {
    if (this.#path === undefined || this.#isClosed) return;
    this.#reopening = this.#reopening === 'no' ? 'once' : 'again';
    if (this.#reopening === 'once') this.#open(this.#path);
  }

  #open(path: string): void {
    open(path, 'a', (error, fd) => {
      if (error !== null) this.#onError(error);
      else if (this.#isClosed) close(fd, ignore);
      else {
        this.#old.push(this.#fd);
        this.#fd = fd;
        if (!this.#isWriting) this.#closeOld();
      }
      const isAgain = this.#reopening === 'again';
      this.#reopening = isAgain ? 'once' : 'no';
      if (isAgain) this.#open(path);
    });
  }

  #closeOld(): void {
    for (const fd of this.#old) close(fd, ignore);
    this.#old = [];
  }

  close(): Promise<void> {
    this.#isClosed = true;
    if (this.#isOurs) this.#old.push(this.#fd);
    // A write in progress still needs its descriptor.
    if (!this.#isWriting) this.#closeOld();
    return Promise.resolve();
  }
}
