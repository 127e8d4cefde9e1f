/**
 * The deadlines of a connection: one for bytes from the client (the next request, the rest of a head, a body, its end),
 * and one for the client to read output. A body has a deadline for each pause and, by option, a minimum rate.
 */
import type { ServerSettings } from '../../shared/options/table.ts';
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

  /** How long it has been waiting, if the wait was started with `ms`. */
  waitedMs(ms: number): number {
    return this.#clock.after(ms) - this.readDeadlineMs;
  }

  expectNothing(): void {
    this.wait = 'none';
    this.readDeadlineMs = Infinity;
  }

  /** Output is pending. The time counts from the last byte that the client took. */
  expectWrite(): void {
    if (this.writeDeadlineMs === Infinity) this.writeDeadlineMs = this.#clock.after(this.#writeTimeoutMs);
  }

  written(): void {
    this.writeDeadlineMs = Infinity;
  }
}

/**
 * The deadline of the bodies of one connection, and the error code when it passes: too long a pause, or too low a rate.
 */
export class BodyDeadline {
  readonly #deadlines: Deadlines;
  readonly #mostMs: number;
  /** Undefined when there is no minimum rate. */
  readonly #pace: BodyPace | undefined;
  /** Whether the rate, and not the pause, limits the current wait. */
  #isBoundByPace = false;

  constructor(deadlines: Deadlines, settings: Pick<ServerSettings, 'bodyMinRate' | 'socketTimeoutMs'>) {
    const { bodyMinRate, socketTimeoutMs } = settings;
    this.#deadlines = deadlines;
    this.#mostMs = socketTimeoutMs;
    this.#pace = bodyMinRate > 0 ? new BodyPace(bodyMinRate, socketTimeoutMs) : undefined;
  }

  /** Another body begins. */
  begin(): void {
    this.#pace?.begin();
  }

  received(bytes: number): void {
    this.#pace?.received(bytes, this.#deadlines.nowMs);
  }

  /** Sets the deadline. There is none while the server, not the client, must act. */
  expect(isClientsTurn: boolean): void {
    const { nowMs } = this.#deadlines;
    if (isClientsTurn) {
      const leftMs = this.#pace?.wait(nowMs) ?? Infinity;
      this.#isBoundByPace = leftMs < this.#mostMs;
      this.#deadlines.expect('body', Math.min(leftMs, this.#mostMs));
    } else {
      this.#pace?.pause(nowMs);
      this.#deadlines.expectNothing();
    }
  }

  /** The reason why the deadline has passed. */
  get fault(): 'BODY_TOO_SLOW' | 'BODY_TIMEOUT' {
    return this.#isBoundByPace ? 'BODY_TOO_SLOW' : 'BODY_TIMEOUT';
  }
}

/** A sender may take this long to begin, or to recover from a lost packet. */
const paceGraceMs = 5_000;

/**
 * The minimum rate of a body, as a credit of time: a body begins with a few seconds, and each byte adds the time that
 * it takes at the minimum rate. The credit is limited to one socketTimeout, so that a fast megabyte does not allow an
 * hour of dripping. Time is used up only while the server waits for bytes, not while the application does not read.
 */
export class BodyPace {
  readonly #msPerByte: number;
  readonly #mostMs: number;
  /** The credit at #sinceMs. */
  #leftMs = 0;
  /** When the current wait began; undefined while the server does not wait for the client. */
  #sinceMs: number | undefined;

  /** The times passed to all methods must be of the same monotonic clock, in milliseconds. */
  constructor(bytesPerSecond: number, mostMs: number) {
    this.#msPerByte = 1000 / bytesPerSecond;
    this.#mostMs = mostMs;
  }

  /** Another body begins. */
  begin(): void {
    this.#leftMs = Math.min(paceGraceMs, this.#mostMs);
    this.#sinceMs = undefined;
  }

  received(bytes: number, nowMs: number): void {
    this.pause(nowMs);
    this.#leftMs = Math.min(this.#leftMs + bytes * this.#msPerByte, this.#mostMs);
  }

  /** The client must send. Returns the time until its next bytes are due; negative when they are late already. */
  wait(nowMs: number): number {
    this.#sinceMs ??= nowMs;
    return this.leftMs(nowMs);
  }

  /** The client need not send. */
  pause(nowMs: number): void {
    this.#leftMs = this.leftMs(nowMs);
    this.#sinceMs = undefined;
  }

  leftMs(nowMs: number): number {
    return this.#sinceMs === undefined ? this.#leftMs : this.#leftMs - (nowMs - this.#sinceMs);
  }
}
