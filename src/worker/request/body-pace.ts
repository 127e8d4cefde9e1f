/**
 * The least pace of a body: bytes buy time.
 *
 * A body begins with a few seconds for nothing, and each byte buys as long as it may take at the least rate. Who has
 * used up all of it was too slow. Nobody can save more than one socketTimeout, so a megabyte sent at once does not pay
 * for an hour of dripping. Time runs while we wait for bytes, not while the application leaves them waiting.
 */

/** a sender may take this long to begin, or to recover from a lost packet */
const graceMs = 5_000;

export class BodyPace {
  readonly #msPerByte: number;
  readonly #mostMs: number;
  /** what may still be waited, as of #sinceMs */
  #leftMs = 0;
  /** when the wait under way began; undefined while we do not wait for the sender */
  #sinceMs: number | undefined;

  /** Times are those of one clock, handed in. */
  constructor(bytesPerSecond: number, mostMs: number) {
    this.#msPerByte = 1000 / bytesPerSecond;
    this.#mostMs = mostMs;
  }

  /** Another body begins. */
  begin(): void {
    this.#leftMs = Math.min(graceMs, this.#mostMs);
    this.#sinceMs = undefined;
  }

  received(bytes: number, nowMs: number): void {
    this.pause(nowMs);
    this.#leftMs = Math.min(this.#leftMs + bytes * this.#msPerByte, this.#mostMs);
  }

  /** It is the sender's turn. Returns how long it may take until the next bytes come; below zero it is late already. */
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
