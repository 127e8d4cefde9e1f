/**
 * How long the load is refused more workers after new ones could not serve: 30 s, then twice as long each time, up to 5 min. Pure.
 *
 * What keeps them from serving (a module that throws, a database that is gone) seldom ends within seconds, and each attempt costs
 * several boots beside workers that are busy already. One of the same generation that becomes ready ends the row, and
 * another generation starts without one.
 */
export const firstPauseMs = 30_000;
export const longestPauseMs = 300_000;

export interface LoadPause {
  /** whose workers could not serve */
  readonly generation: number;
  readonly lastsMs: number;
  readonly untilMs: number;
}

/** Workers of this generation could not serve, once more or for the first time. */
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
