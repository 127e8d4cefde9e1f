/**
 * How long a closing connection is read on, so that its client sees the response and no reset (RFC 9112 §9.6): two seconds
 * from the last byte that came, since a client that is still sending has not looked for a response yet, but no longer than half a
 * minute in all.
 */

/** From one check to the next. */
export const lingerMs = 2000;
const longestMs = 30_000;

export class Linger {
  readonly #untilMs: number;
  /** At the last check. */
  #bytesRead: number;

  constructor(nowMs: number, bytesRead: number) {
    this.#untilMs = nowMs + longestMs;
    this.#bytesRead = bytesRead;
  }

  /** True if bytes arrived since the last check and the overall limit has not passed. */
  goesOn(nowMs: number, bytesRead: number): boolean {
    const hasCome = bytesRead > this.#bytesRead;
    this.#bytesRead = bytesRead;
    return hasCome && nowMs < this.#untilMs;
  }
}
