/**
 * How long a connection waits: one deadline for bytes from the client (the next request, the rest of a head, a body, its end),
 * and one for the client to take bytes. A body has a deadline for each pause and, by option, a least pace.
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

  /** How long it has been waiting, if that is a wait of `ms`. */
  waitedMs(ms: number): number {
    return this.#clock.after(ms) - this.readDeadlineMs;
  }

  expectNothing(): void {
    this.wait = 'none';
    this.readDeadlineMs = Infinity;
  }

  /** Bytes are on their way out. The time counts from the last byte that the client took. */
  expectWrite(): void {
    if (this.writeDeadlineMs === Infinity) this.writeDeadlineMs = this.#clock.after(this.#writeTimeoutMs);
  }

  written(): void {
    this.writeDeadlineMs = Infinity;
  }
}

/** The deadline of the bodies of one connection, and the error code for what was missed: too long a pause, or too slow a pace. */
export class BodyDeadline {
  readonly #deadlines: Deadlines;
  readonly #mostMs: number;
  /** Undefined when any pace will do. */
  readonly #pace: BodyPace | undefined;
  /** The pace ends the wait under way, not the length of the pause. */
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

  /** Sets the deadline. There is none while the server, not the client, is to act. */
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

  /** Why the deadline has passed. */
  get fault(): 'BODY_TOO_SLOW' | 'BODY_TIMEOUT' {
    return this.#isBoundByPace ? 'BODY_TOO_SLOW' : 'BODY_TIMEOUT';
  }
}

/** A sender may take this long to begin, or to recover from a lost packet. */
const paceGraceMs = 5_000;

/**
 * The least pace of a body: bytes buy time. A body begins with a few seconds, and each byte adds the time that it takes at the least
 * rate. The credit is limited to one socketTimeout, so that a megabyte at once does not pay for an hour of dripping. Time is used up
 * only while the server waits for bytes, not while the application leaves them waiting.
 */
export class BodyPace {
  readonly #msPerByte: number;
  readonly #mostMs: number;
  /** The credit as of #sinceMs. */
  #leftMs = 0;
  /** When the wait under way began; undefined while the server does not wait for the sender. */
  #sinceMs: number | undefined;

  /** All times that are passed in must come from the same clock. */
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

  /** It is the sender's turn. Returns the time until the next bytes must have come; below zero it is late already. */
  wait(nowMs: number): number {
    this.#sinceMs ??= nowMs;
    return this.leftMs(nowMs);
  }

  /** It is not the sender's turn. */
  pause(nowMs: number): void {
    this.#leftMs = this.leftMs(nowMs);
    this.#sinceMs = undefined;
  }

  leftMs(nowMs: number): number {
    return this.#sinceMs === undefined ? this.#leftMs : this.#leftMs - (nowMs - this.#sinceMs);
  }
}
