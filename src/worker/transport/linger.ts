/**
 * How long a closing connection is still read, so that its client sees the response and no reset (RFC 9112 §9.6): two
 * seconds from the last byte, since a client that is still sending has not looked for a response yet, but at most half
 * a minute in all.
 */

/** The time between two checks. */
export const lingerMs = 2000;
const longestMs = 30_000;

export class Linger {
  readonly #untilMs: number;
  /** The number at the last check. */
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
