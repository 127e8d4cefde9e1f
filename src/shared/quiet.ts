/**
 * How long somebody has not been heard of, told in the listener's own time.
 *
 * Time counts only while the listener itself gets to run: it looks at every tick, and no look counts for more than two.
 * So one that was stopped, or whose machine slept, has no quiet to hold against anybody when it wakes, and what waits to be
 * heard is heard first.
 */
export class Quiet {
  readonly tickMs: number;
  #lastMs: number;
  #quietMs = 0;

  /** Times are those of one clock, handed in. */
  constructor(tickMs: number, nowMs: number) {
    this.tickMs = tickMs;
    this.#lastMs = nowMs;
  }

  get ms(): number {
    return this.#quietMs;
  }

  heard(): void {
    this.#quietMs = 0;
  }

  /** Called at every tick; returns how long it has been quiet. */
  tick(nowMs: number): number {
    this.#quietMs += Math.min(nowMs - this.#lastMs, 2 * this.tickMs);
    this.#lastMs = nowMs;
    return this.#quietMs;
  }
}

/** How often a watch looks: ten times before it loses patience, and once a second at least. */
export function watchTickMs(stuckMs: number): number {
  return Math.min(1000, Math.ceil(stuckMs / 10));
}

/** When it is said that nothing is heard, long before anything is done about it. */
export function noticeMs(stuckMs: number): number {
  return stuckMs / 3;
}
