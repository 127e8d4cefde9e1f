/** What a connection waits for, and how long: one wait for bytes from the client, one for the client to take bytes. */
import type { Clock } from '../transport/clock.ts';

/** the next request; the rest of its head; of its body; the client's end of a closing connection; nothing */
export type ReadWait = 'idle' | 'head' | 'body' | 'linger' | 'none';

export class Deadlines {
  readonly #clock: Clock;
  readonly #writeTimeoutMs: number;
  wait: ReadWait = 'none';
  readDeadlineMs = Infinity;
  writeDeadlineMs = Infinity;

  constructor(clock: Clock, writeTimeoutMs: number) {
    this.#clock = clock;
    this.#writeTimeoutMs = writeTimeoutMs;
  }

  get nowMs(): number {
    return this.#clock.nowMs;
  }

  expect(wait: Exclude<ReadWait, 'none'>, ms: number): void {
    this.wait = wait;
    this.readDeadlineMs = this.#clock.after(ms);
  }

  /** How long it has been waiting, if that is a wait of `ms`. */
  waitedMs(ms: number): number {
    return this.#clock.after(ms) - this.readDeadlineMs;
  }

  expectNothing(): void {
    this.wait = 'none';
    this.readDeadlineMs = Infinity;
  }

  /** Bytes are on their way out; the time counts from the last that the client took. */
  expectWrite(): void {
    if (this.writeDeadlineMs === Infinity) this.writeDeadlineMs = this.#clock.after(this.#writeTimeoutMs);
  }

  written(): void {
    this.writeDeadlineMs = Infinity;
  }
}
