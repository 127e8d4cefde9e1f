/**
 * Decides whether a worker is awake or asleep. It is awake while there is something to watch: connections, requests,
 * hooks, or activity of the application itself. Then the periodic checks run (descriptors, roll-call, delay of the
 * event loop), and it reports to the master once a second. After a while without activity it sleeps: one cheap check a
 * second, and a rare report. It reports at once that it wakes: the master takes a silent worker for busy only when it is
 * awake, and its first work may block the loop.
 */

/** A periodic check that runs only while the worker is awake. */
export interface Watch {
  start(): void;
  stop(): void;
}

export interface AlertnessParts {
  readonly watches: readonly Watch[];
  readonly hasWork: () => boolean;
  /** whether the application was active by itself since the last call */
  readonly hasStirred: () => boolean;
  /** called at the first activity, and at the first one after each sleep */
  readonly onWork: () => void;
  /** reports to the master; `asleep` marks the last report for a while */
  readonly report: (asleep: boolean) => void;
  /** the interval of reports while it sleeps */
  readonly asleepReportMs: number;
}

const awakeReportMs = 1_000;
/** checks without activity after which it sleeps */
const looksToSleep = 2;

export class Alertness {
  readonly #parts: AlertnessParts;
  readonly lookEveryMs: number;
  #isAwake = false;
  #quietLooks = 0;
  #sinceReportMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: AlertnessParts) {
    this.#parts = parts;
    this.lookEveryMs = Math.min(awakeReportMs, parts.asleepReportMs);
  }

  /** Starts asleep; the first check reports. */
  start(): void {
    // Activity during loading does not count.
    this.#parts.hasStirred();
    this.#sinceReportMs = this.#parts.asleepReportMs;
    this.#timer = setInterval(this.look, this.lookEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#setAwake(false);
  }

  /** To be called with the number of connections whenever it changes; it is cheap. */
  readonly note = (connections: number): void => {
    if (connections > 0 && !this.#isAwake) this.#work();
  };

  readonly look = (): void => {
    const { hasWork, hasStirred, asleepReportMs } = this.#parts;
    const wasAwake = this.#isAwake;
    this.#sinceReportMs += this.lookEveryMs;
    // Both are evaluated, since the second one covers the time since the last check.
    const [works, stirred] = [hasWork(), hasStirred()];
    if (works || stirred) this.#work();
    else if (wasAwake) this.#quietLooks += 1;
    if (this.#quietLooks >= looksToSleep) this.#setAwake(false);
    const fellAsleep = wasAwake && !this.#isAwake;
    if (fellAsleep || this.#sinceReportMs >= (this.#isAwake ? awakeReportMs : asleepReportMs)) this.#report();
  };

  #work(): void {
    const wasAwake = this.#isAwake;
    this.#quietLooks = 0;
    this.#setAwake(true);
    // Before start() nothing can be reported yet; the first check does it.
    if (!wasAwake && this.#timer !== undefined) this.#report();
    this.#parts.onWork();
  }

  #report(): void {
    this.#sinceReportMs = 0;
    this.#parts.report(!this.#isAwake);
  }

  #setAwake(awake: boolean): void {
    if (awake === this.#isAwake) return;
    this.#isAwake = awake;
    for (const watch of this.#parts.watches) {
      if (awake) watch.start();
      else watch.stop();
    }
  }
}
