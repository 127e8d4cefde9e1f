/**
 * Collects access lines into batches and writes one batch at a time, so that a request costs a concatenation and no
 * system call.
 *
 * The sink never affects a request. While it is slow or fails, lines wait up to a limit; further ones are dropped and
 * counted, and the count is reported when writing works again. A failed write is retried after a growing delay, from
 * the first byte that the sink did not take.
 */
import { stateMachine } from '../../shared/state-machine.ts';

/** `taken`: bytes that must not be written again; with an error, how many were written before it. */
export type Written = (taken: number, error: Error | null | undefined) => void;

/** The destination of batches, one write at a time. */
export interface Sink {
  /** A batch of this size is written immediately: each write wakes a thread or a reader. */
  readonly batchBytes: number;
  write(bytes: Buffer, written: Written): void;
  /** Writes synchronously at process exit, when no callback comes any more: as much as can be written immediately. */
  writeNow(bytes: Buffer): void;
  /** Reopens the file. */
  reopen(): void;
  close(): Promise<void>;
}

/** A batch is written when it is large enough for its sink, or after this time. */
const batchMs = 150;
/** Bytes that may wait behind a pending or failed write. */
const maxWaitingBytes = 1 << 20;
const firstRetryMs = 100;
const longestRetryMs = 10_000;
/** How long close() waits for the last write. */
const closeWithinMs = 1000;

type State = 'idle' | 'writing' | 'failed' | 'closed';
const nextState = stateMachine<State, 'write' | 'written' | 'fail' | 'close'>('access log', {
  idle: { write: 'writing', close: 'closed' },
  writing: { written: 'idle', fail: 'failed', close: 'closed' },
  failed: { write: 'writing', close: 'closed' },
  closed: { written: 'closed', fail: 'closed', close: 'closed' },
});

export interface BatchReports {
  /** Called for each failure; the receiver limits how many it reports. */
  readonly failed: (error: Error) => void;
  /** Lines are written again; `droppedLines` were lost. */
  readonly resumed: (droppedLines: number) => void;
  /** The log is closed; `droppedLines` were lost since the last successful write. */
  readonly ended: (droppedLines: number) => void;
}

const lineEnd = 0x0a;
const countLines = (bytes: Buffer): number => bytes.reduce((count, byte) => (byte === lineEnd ? count + 1 : count), 0);

export class Batches {
  readonly #sink: Sink;
  readonly #reports: BatchReports;
  #state: State = 'idle';
  readonly #gathered = new Gathered();
  /** The unwritten rest of a batch. */
  #rest: Buffer | undefined;
  #dropped = 0;
  #hasFailed = false;
  #retryMs = firstRetryMs;
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;
  #onRest: () => void = () => {};

  constructor(sink: Sink, reports: BatchReports) {
    this.#sink = sink;
    this.#reports = reports;
  }

  /** Whether further lines are not accepted: `drop()` counts a line without formatting it. */
  get isFull(): boolean {
    return this.#gathered.length >= maxWaitingBytes || this.#state === 'closed';
  }

  drop(): void {
    if (this.#state === 'closed') return;
    this.#dropped += 1;
    if (this.#dropped === 1) this.#reports.failed(new Error('lines come faster than they can be written'));
  }

  add(line: string): void {
    this.#gathered.add(line);
    if (this.#gathered.length >= this.#sink.batchBytes && this.#state === 'idle') this.#write();
    else if (this.#timer === undefined && this.#state !== 'writing') this.#writeAfter(batchMs);
  }

  #writeAfter(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      if (this.#state === 'idle' || this.#state === 'failed') this.#write();
    }, ms).unref();
  }

  #nextBatch(): Buffer {
    const rest = this.#rest;
    this.#rest = undefined;
    return rest ?? this.#gathered.cutBatch();
  }

  #write(): void {
    const bytes = this.#nextBatch();
    if (bytes.length === 0) {
      this.#onRest();
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#state = nextState(this.#state, 'write');
    this.#sink.write(bytes, (taken, error) => this.#written(bytes.subarray(taken), error));
  }

  #written(rest: Buffer, error: Error | null | undefined): void {
    if (rest.length > 0) this.#rest = rest;
    if (error) this.#failed(error);
    else {
      this.#state = nextState(this.#state, 'written');
      this.#gotThrough();
      if (this.#state === 'closed') return;
      if (this.#isClosing || this.#rest !== undefined || this.#gathered.length >= this.#sink.batchBytes) this.#write();
      else if (!this.#gathered.isEmpty) this.#writeAfter(batchMs);
    }
  }

  #failed(error: Error): void {
    this.#state = nextState(this.#state, 'fail');
    this.#hasFailed = true;
    this.#reports.failed(error);
    if (this.#state === 'closed') return;
    if (this.#isClosing) this.#onRest();
    else this.#writeAfter(this.#retryMs);
    this.#retryMs = Math.min(2 * this.#retryMs, longestRetryMs);
  }

  #gotThrough(): void {
    // The failure is over only when the waiting lines are written, too.
    if (this.#rest !== undefined || this.#gathered.length >= this.#sink.batchBytes) return;
    if (this.#hasFailed || this.#dropped > 0) this.#reports.resumed(this.#dropped);
    this.#hasFailed = false;
    this.#dropped = 0;
    this.#retryMs = firstRetryMs;
  }

  reopen(): void {
    this.#sink.reopen();
  }

  /** Writes the waiting lines, within a second; lines that cannot be written by then are lost and counted. */
  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    this.#isClosing = true;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#onRest = resolve;
      timer = setTimeout(resolve, closeWithinMs);
      if (this.#state !== 'writing') this.#write();
    });
    clearTimeout(timer);
    clearTimeout(this.#timer);
    this.#state = nextState(this.#state, 'close');
    // The rest of a failed batch comes first, then the lines that waited behind it.
    const lost = this.#dropped + countLines(this.#nextBatch()) + countLines(this.#nextBatch());
    this.#reports.ended(lost);
    this.#dropped = 0;
    await this.#sink.close();
  }

  /** Writes the waiting lines immediately, ahead of any pending write. */
  writeNow(): void {
    if (this.#state === 'closed') return;
    this.#sink.writeNow(this.#nextBatch());
    this.#sink.writeNow(this.#nextBatch());
  }
}

/** Characters that are collected before they are converted to bytes. */
const gatheredLength = 4096;
const slabBytes = 262_144;

/**
 * Collects lines as bytes, a few lines at a time: a string concatenated from many is a tree, which the garbage
 * collector traverses while it lives. The bytes are stored one after the other in a slab, and a batch is a view of it,
 * or of several joined. Each character of a line stands for one byte (Latin-1).
 */
export class Gathered {
  /** Lines that are not in the slab yet. */
  #lines = '';
  #slab = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  /** Parts of the batch that lie in earlier slabs. */
  #earlier: Buffer[] = [];
  #earlierBytes = 0;

  /** Bytes so far, without the last few lines. */
  get length(): number {
    return this.#earlierBytes + this.#to - this.#from;
  }

  get isEmpty(): boolean {
    return this.#lines === '' && this.length === 0;
  }

  add(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= gatheredLength) this.#settle();
  }

  #settle(): void {
    const { length } = this.#lines;
    if (this.#to + length > this.#slab.length) this.#renew(length);
    this.#to += this.#slab.write(this.#lines, this.#to, 'latin1');
    this.#lines = '';
  }

  #renew(atLeast: number): void {
    if (this.#to > this.#from) this.#earlier.push(this.#slab.subarray(this.#from, this.#to));
    this.#earlierBytes += this.#to - this.#from;
    this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, atLeast));
    this.#from = 0;
    this.#to = 0;
  }

  /** Returns all bytes; further lines begin another batch. */
  cutBatch(): Buffer {
    this.#settle();
    const last = this.#slab.subarray(this.#from, this.#to);
    const bytes = this.#earlier.length === 0 ? last : Buffer.concat([...this.#earlier, last]);
    this.#from = this.#to;
    this.#earlier = [];
    this.#earlierBytes = 0;
    return bytes;
  }
}
