/**
 * Measures how long a process has been silent, counting only time in which the listener itself was running.
 *
 * The listener ticks at an interval, and one tick counts for at most two intervals. So after the listener was stopped,
 * or the machine slept, waiting messages are read before anyone is taken to be silent.
 */
export class Quiet {
  readonly tickMs: number;
  #lastMs: number;
  #quietMs = 0;

  /** The caller passes the time of one monotonic clock, in milliseconds. */
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

  /** To be called at every tick. Returns the silence so far in milliseconds. */
  tick(nowMs: number): number {
    this.#quietMs += Math.min(nowMs - this.#lastMs, 2 * this.tickMs);
    this.#lastMs = nowMs;
    return this.#quietMs;
  }
}

/** The interval of a watch: a tenth of the limit, at most one second. */
export function watchTickMs(stuckMs: number): number {
  return Math.min(1000, Math.ceil(stuckMs / 10));
}

/** After how much silence it is logged; much earlier than anything is done about it. */
export function noticeMs(stuckMs: number): number {
  return stuckMs / 3;
}
