/**
 * Decides how many workers the load needs, from the share of their time that the event loops were busy: up fast, down
 * slowly.
 *
 * - Up immediately when the loops are busy for three quarters of the time on average: to as many workers as would bring
 *   that down to `aimedAt`. A missing worker makes requests wait, while an extra one only costs memory.
 * - Down by one when the others would still be at half of their time or less, without interruption for `calmMs` (option
 *   scaleDownAfter). A steady load between the two limits changes nothing.
 * - For `settleMs` after a change nothing is decided, so that it can take effect.
 * - After new workers could not serve, no more are wanted for a while (`LoadPause`).
 * - A number outside the range was set by a person, and stays.
 */
import type { WorkerRange } from '../../shared/options/worker-range.ts';

const busyAt = 0.75;
const aimedAt = 0.6;
const calmAt = 0.5;
export const settleMs = 3_000;

export interface Load {
  readonly nowMs: number;
  readonly range: WorkerRange;
  readonly calmMs: number;
  /** whether new workers can serve (`LoadPause`) */
  readonly canGrow: boolean;
  /** how many are wanted, which is also how many are ready */
  readonly workers: number;
  /** the share of its time that each was busy, 0 to 1; undefined for a worker that is too young */
  readonly utilisations: ReadonlyArray<number | undefined>;
}

export interface LoadMemory {
  readonly changedAtMs: number;
  /** since when one worker fewer would be enough */
  readonly calmSinceMs: number | undefined;
}

export interface LoadDecision {
  readonly to: number;
  /** the mean of all */
  readonly utilisation: number;
  readonly memory: LoadMemory;
}

export const noLoadYet: LoadMemory = { changedAtMs: -Infinity, calmSinceMs: undefined };

/** The memory right after a change, for whatever reason. */
export function changedAt(nowMs: number): LoadMemory {
  return { changedAtMs: nowMs, calmSinceMs: undefined };
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

/** The first pause, and the longest: each failure in a row doubles the pause. */
export const firstPauseMs = 30_000;
export const longestPauseMs = 300_000;

/**
 * A pause during which the load gets no more workers, after new workers could not serve. The cause (a module that
 * throws, a database that is down) rarely disappears within seconds, and each attempt costs several boots on a busy
 * machine. When a worker of the same generation becomes ready, the pause ends; another generation starts without one.
 */
export interface LoadPause {
  /** the generation whose workers could not serve */
  readonly generation: number;
  readonly lastsMs: number;
  readonly untilMs: number;
}

/** Starts a pause, or a longer one, after workers of this generation could not serve. */
export function pauseAfterFailure(before: LoadPause | undefined, generation: number, nowMs: number): LoadPause {
  const isNext = before?.generation === generation;
  const lastsMs = isNext ? Math.min(longestPauseMs, before.lastsMs * 2) : firstPauseMs;
  return { generation, lastsMs, untilMs: nowMs + lastsMs };
}

/** A worker of this generation serves. */
export function pauseAfterReady(before: LoadPause | undefined, generation: number): LoadPause | undefined {
  return before?.generation === generation ? undefined : before;
}

/** Whether the load may have more workers of this generation. */
export function mayGrow(pause: LoadPause | undefined, generation: number, nowMs: number): boolean {
  return pause === undefined || pause.generation !== generation || nowMs >= pause.untilMs;
}
