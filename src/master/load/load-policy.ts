/**
 * How many workers the load asks for, decided from how much of their time the event loops were busy: up fast, down slowly.
 *
 * - Up at once when the loops are busy for three quarters of the time, in the mean: to as many as would bring them down to
 *   `aimedAt`. What waits for a worker that is missing waits now; one too many costs memory.
 * - Down by one when that would leave the others at half of their time or less, without a break for `calmMs` (option
 *   scaleDownAfter).
 *   Between the two lies what neither moves, so that a load that stays does not swing.
 * - After a change `settleMs` are left to its effect.
 * - Where new workers could not serve, none is wanted for a while (load-pause.ts).
 * - A number outside of the range was set by hand, and stays.
 */
import type { WorkerRange } from '../../shared/options/worker-range.ts';

export const busyAt = 0.75;
export const aimedAt = 0.6;
export const calmAt = 0.5;
export const settleMs = 3_000;
/** A worker that has reported nothing for so long is too busy to. */
export const silentAfterMs = 3_000;

export interface Load {
  readonly nowMs: number;
  readonly range: WorkerRange;
  readonly calmMs: number;
  /** new workers are to be had (load-pause.ts) */
  readonly canGrow: boolean;
  /** how many are wanted, which is how many are ready */
  readonly workers: number;
  /** the share of its time that each was busy, 0 to 1; undefined of one that is too young to tell */
  readonly utilisations: ReadonlyArray<number | undefined>;
}

export interface LoadMemory {
  readonly changedAtMs: number;
  /** since when one worker less would do */
  readonly calmSinceMs: number | undefined;
}

export interface LoadDecision {
  readonly to: number;
  /** the mean */
  readonly utilisation: number;
  readonly memory: LoadMemory;
}

export const noLoadYet: LoadMemory = { changedAtMs: -Infinity, calmSinceMs: undefined };

/** The number was changed, by whomever. */
export function changedAt(nowMs: number): LoadMemory {
  return { changedAtMs: nowMs, calmSinceMs: undefined };
}

/** What a worker that reported this, so long ago, is taken for. */
export function utilisationNow(reported: number | undefined, sinceReportMs: number): number | undefined {
  return sinceReportMs >= silentAfterMs ? 1 : reported;
}

export function decideByLoad(
  { nowMs, range, calmMs, canGrow, workers, utilisations }: Load,
  memory: LoadMemory,
): LoadDecision {
  const known = utilisations.filter((one) => one !== undefined);
  const utilisation = known.reduce((sum, one) => sum + one, 0) / Math.max(1, known.length);
  const stay = (calmSinceMs: number | undefined): LoadDecision => ({
    to: workers,
    utilisation,
    memory: { ...memory, calmSinceMs },
  });
  if (workers < range.least || workers > range.most) return stay(undefined);
  if (known.length < utilisations.length || nowMs - memory.changedAtMs < settleMs) return stay(memory.calmSinceMs);
  if (utilisation >= busyAt) {
    const enough = Math.max(workers + 1, Math.ceil((workers * utilisation) / aimedAt));
    const to = Math.min(canGrow ? range.most : workers, enough);
    return to === workers ? stay(undefined) : { to, utilisation, memory: changedAt(nowMs) };
  }
  const isCalm = workers > range.least && workers * utilisation <= (workers - 1) * calmAt;
  if (!isCalm) return stay(undefined);
  const calmSinceMs = memory.calmSinceMs ?? nowMs;
  if (nowMs - calmSinceMs < calmMs) return stay(calmSinceMs);
  return { to: workers - 1, utilisation, memory: { changedAtMs: nowMs, calmSinceMs: nowMs } };
}
