/**
 * A coarse clock and the deadlines of all connections: one timer for the whole process instead of one per connection
 * and state. Time that passes while the process cannot run (a blocked loop, SIGSTOP, a machine asleep) does not count:
 * bytes that arrived meanwhile must be read before anybody is timed out.
 */
export interface Expiring {
  /** on the clock's scale; Infinity for none */
  readonly readDeadlineMs: number;
  readonly writeDeadlineMs: number;
  expire(which: 'read' | 'write'): void;
}

const tickMs = 500;

export class Clock {
  /** virtual time, at most one tick behind */
  nowMs = 0;
  #last = performance.now();
  #timer: NodeJS.Timeout | undefined;
  readonly #watched: ReadonlySet<Expiring>;

  constructor(watched: ReadonlySet<Expiring>) {
    this.#watched = watched;
  }

  /** The deadline for a wait of `ms` from now: never early, at most two ticks late. */
  after(ms: number): number {
    return this.nowMs + ms + tickMs;
  }

  /** Runs while there is something to watch. */
  start(): void {
    if (this.#timer !== undefined) return;
    this.#last = performance.now();
    this.#timer = setInterval(() => this.#tick(), tickMs);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    const now = performance.now();
    this.nowMs += Math.min(now - this.#last, 2 * tickMs);
    this.#last = now;
    for (const one of this.#watched) {
      if (one.readDeadlineMs <= this.nowMs) one.expire('read');
      if (one.writeDeadlineMs <= this.nowMs) one.expire('write');
    }
    if (this.#watched.size === 0) this.stop();
  }
}
