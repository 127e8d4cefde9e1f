/**
 * A coarse clock for the deadlines of all connections: one timer per process instead of one per connection and state.
 * Time in which the process cannot run (a blocked loop, SIGSTOP, a machine asleep) does not count: bytes that arrived
 * meanwhile must be read before a connection times out.
 */
export interface Expiring {
  /** In the clock's time; Infinity when there is no deadline. */
  readonly readDeadlineMs: number;
  readonly writeDeadlineMs: number;
  expire(which: 'read' | 'write'): void;
}

/** The source of time: this machine, or a test. */
export interface TimeSource {
  nowMs(): number;
  /** Calls back at an interval until the returned function is called; does not keep the process alive. */
  every(ms: number, callback: () => void): () => void;
}

export const realTime: TimeSource = {
  nowMs: () => performance.now(),
  every(ms, callback) {
    const timer = setInterval(callback, ms).unref();
    return () => clearInterval(timer);
  },
};

export const tickMs = 500;

export class Clock {
  /** Virtual time, at most one tick behind. */
  nowMs = 0;
  #last = 0;
  #stop: (() => void) | undefined;
  readonly #watched: ReadonlySet<Expiring>;
  readonly #time: TimeSource;

  constructor(watched: ReadonlySet<Expiring>, time: TimeSource) {
    this.#watched = watched;
    this.#time = time;
  }

  /** Returns the deadline for a wait of `ms` from now: never early, at most two ticks late. */
  after(ms: number): number {
    return this.nowMs + ms + tickMs;
  }

  /** Starts the clock, which runs while there is something to watch. */
  start(): void {
    if (this.#stop !== undefined) return;
    this.#last = this.#time.nowMs();
    this.#stop = this.#time.every(tickMs, () => this.#tick());
  }

  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
  }

  #tick(): void {
    const now = this.#time.nowMs();
    this.nowMs += Math.min(now - this.#last, 2 * tickMs);
    this.#last = now;
    for (const one of this.#watched) {
      if (one.readDeadlineMs <= this.nowMs) one.expire('read');
      if (one.writeDeadlineMs <= this.nowMs) one.expire('write');
    }
    if (this.#watched.size === 0) this.stop();
  }
}

/** The maximum of setTimeout is 2^31-1 ms, about 24.8 days; a longer time becomes 1 ms. */
const longestTimerMs = 2 ** 31 - 1;
/** node:http adds a second to some times. */
const spareMs = 60_000;

/** Limits a wait to what a timer can take. */
export function timerMs(ms: number): number {
  return Math.min(ms, longestTimerMs - spareMs);
}
