/**
 * The bake time of a reload: the new generation serves, the old one is on standby, and measurements decide which of
 * them stays.
 *
 * `judge` makes the whole decision. It compares failed responses (5xx), crashed workers and the lag of event loops. A
 * rate of few responses is ignored. Since a loop may lag once (loading modules, a long garbage collection), the mean of
 * a worker's last reports is used.
 */
import type { Options } from '../../shared/options/table.ts';
import { formatDuration } from '../../shared/options/units.ts';
import type { WorkerStats } from '../../shared/protocol/messages.ts';

export type BakeLimits = Pick<Options, 'bakeMs' | 'bakeMaxErrorPercent' | 'bakeMaxCrashes' | 'bakeMaxLagMs'>;

export interface BakeFacts {
  readonly answers: number;
  /** responses with 5xx */
  readonly errors: number;
  /** workers that were ready and died */
  readonly crashes: number;
  /** the largest lag of all workers, each the mean of its last reports */
  readonly lagMs: number;
  /** milliseconds until the bake time ends */
  readonly leftMs: number;
}

export type Verdict = { is: 'open' } | { is: 'passed' } | { is: 'failed'; reason: string };

/** A rate is ignored below this number of responses. */
const leastAnswers = 20;
/** how many reports of a worker (one a second) the mean lag is of */
export const lagReports = 5;

export function judge(limits: BakeLimits, { answers, errors, crashes, lagMs, leftMs }: BakeFacts): Verdict {
  const failed = (reason: string): Verdict => ({ is: 'failed', reason });
  if (crashes > limits.bakeMaxCrashes) {
    const workers = crashes === 1 ? 'a worker' : `${crashes} workers`;
    return failed(`${workers} died, which is more than ${limits.bakeMaxCrashes} (option bakeMaxCrashes)`);
  }
  const percent = (100 * errors) / Math.max(1, answers);
  if (answers >= leastAnswers && percent > limits.bakeMaxErrorPercent) {
    const rate = `${errors} of ${answers} responses were 5xx (${percent.toFixed(1)} %)`;
    return failed(`${rate}, which is more than ${limits.bakeMaxErrorPercent} % (option bakeMaxErrorRate)`);
  }
  if (lagMs > limits.bakeMaxLagMs) {
    const most = formatDuration(limits.bakeMaxLagMs);
    return failed(`an event loop was ${Math.round(lagMs)}ms late, which is more than ${most} (option bakeMaxLag)`);
  }
  return { is: leftMs > 0 ? 'open' : 'passed' };
}

interface Observed {
  answers: number;
  errors: number;
  /** the last lags, at most `lagReports` */
  lags: number[];
}

/** Collects the figures for `judge`, from the first ready worker of the new generation on. */
export class BakeWatch {
  readonly #limits: BakeLimits;
  readonly #workers = new Map<number, Observed>();
  #crashes = 0;
  #endsAtMs = Infinity;

  constructor(limits: BakeLimits) {
    this.#limits = limits;
  }

  /** The new generation serves alone now. */
  begin(nowMs: number): void {
    this.#endsAtMs = nowMs + this.#limits.bakeMs;
  }

  noteStats(worker: number, { answers2xx, answers3xx, answers4xx, answers5xx, lagMs }: WorkerStats): void {
    const lags = [...(this.#workers.get(worker)?.lags ?? []), lagMs].slice(-lagReports);
    const answers = answers2xx + answers3xx + answers4xx + answers5xx;
    this.#workers.set(worker, { answers, errors: answers5xx, lags });
  }

  noteCrash(): void {
    this.#crashes += 1;
  }

  /** Infinity while old workers still serve. */
  leftMs(nowMs: number): number {
    return Math.max(0, this.#endsAtMs - nowMs);
  }

  facts(nowMs: number): BakeFacts {
    let answers = 0;
    let errors = 0;
    let lagMs = 0;
    for (const observed of this.#workers.values()) {
      answers += observed.answers;
      errors += observed.errors;
      if (observed.lags.length < lagReports) continue;
      lagMs = Math.max(lagMs, observed.lags.reduce((sum, lag) => sum + lag, 0) / lagReports);
    }
    return { answers, errors, crashes: this.#crashes, lagMs, leftMs: this.leftMs(nowMs) };
  }

  verdict(nowMs: number): Verdict {
    return judge(this.#limits, this.facts(nowMs));
  }
}
