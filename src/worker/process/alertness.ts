/**
 * A worker is awake while there is something to watch: connections, requests, hooks, or an application that works by itself. Then what
 * looks often runs (the watch of the descriptors, the roll-call, how late the loop is), and the master is told once a second. When
 * nothing has happened for a while it sleeps: one cheap look a second, and a report now and then.
 */

/** What runs only while the worker is awake. */
export interface Watch {
  start(): void;
  stop(): void;
}

export interface AlertnessParts {
  readonly watches: readonly Watch[];
  readonly hasWork: () => boolean;
  /** whether the application did anything by itself since this was asked last */
  readonly hasStirred: () => boolean;
  /** the first sign of work, and each one after a sleep */
  readonly onWork: () => void;
  /** tells the master how it is; `asleep` with the last report for a while */
  readonly report: (asleep: boolean) => void;
  /** the master must hear of a sleeping worker that often */
  readonly asleepReportMs: number;
}

const awakeReportMs = 1_000;
/** looks without anything to watch until it sleeps */
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

  get isAwake(): boolean {
    return this.#isAwake;
  }

  /** Asleep at first, and heard of with the first look. */
  start(): void {
    // What loading took is no work.
    this.#parts.hasStirred();
    this.#sinceReportMs = this.#parts.asleepReportMs;
    this.#timer = setInterval(this.look, this.lookEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#setAwake(false);
  }

  /** There are so many connections: cheap enough to be called with each of them. */
  readonly note = (connections: number): void => {
    if (connections > 0 && !this.#isAwake) this.#work();
  };

  readonly look = (): void => {
    const { hasWork, hasStirred, asleepReportMs } = this.#parts;
    const wasAwake = this.#isAwake;
    // Both are asked: the second one is about the time since the last look.
    const [works, stirred] = [hasWork(), hasStirred()];
    if (works || stirred) this.#work();
    else if (wasAwake) this.#quietLooks += 1;
    if (this.#quietLooks >= looksToSleep) this.#setAwake(false);
    this.#sinceReportMs += this.lookEveryMs;
    const fellAsleep = wasAwake && !this.#isAwake;
    if (fellAsleep || this.#sinceReportMs >= (this.#isAwake ? awakeReportMs : asleepReportMs)) {
      this.#sinceReportMs = 0;
      this.#parts.report(!this.#isAwake);
    }
  };

  #work(): void {
    this.#quietLooks = 0;
    this.#setAwake(true);
    this.#parts.onWork();
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
