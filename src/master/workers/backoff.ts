/**
 * When a dead worker is replaced: at once, unless it is one of a row of workers that died right after their start.
 *
 * A worker that dies before it was ready, or within `quickMs` of it, leaves a debt: the place is filled again only
 * when the debt is due, and the worker that fills it carries the length of the row (`streak`) on. So each place has its own
 * delay (0, 0.5 s, 1 s, 2 s ... 30 s), the others serve on, and one that stays up ends the row by itself. A worker
 * that had been up (an operator's kill -9, an out-of-memory kill) leaves no debt at all.
 *
 * The delays are for an application that cannot start. One that has answered a request can: its worker is replaced at once, however short it
 * lived. And while nobody serves, a place whose worker had been ready is filled again after `firstDelayMs` at most.
 */
export const quickMs = 5_000;
export const firstDelayMs = 500;
export const longestDelayMs = 30_000;

export interface Debt {
  /** workers that died quickly in a row in this place */
  readonly streak: number;
  readonly dueAtMs: number;
  /** when it is due while nobody serves; undefined when the worker never was ready */
  readonly soonAtMs?: number | undefined;
}

/** How a worker lived that has died. */
export interface ShortLife {
  /** undefined when it never was ready */
  readonly readyForMs: number | undefined;
  readonly hasAnswered: boolean;
}

/** Workers that have answered count as this many in a row at most: the application can start. */
const longestRowOfAnswering = 2;

/** Open places that wait, earliest first. */
export type Backoff = readonly Debt[];

/** Whether a death counts as quick; `readyForMs` is undefined when the worker never was ready. */
export function isQuickDeath(readyForMs: number | undefined): boolean {
  return readyForMs === undefined || readyForMs < quickMs;
}

/**
 * The delay before the replacement of the `streak`th worker that died quickly in a row. `random` is from [0, 1): up to a
 * quarter is taken off, so that places which died together do not come back together.
 */
export function delayMs(streak: number, random: number): number {
  if (streak <= 1) return 0;
  const full = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(streak - 2, 16));
  return Math.round(full * (1 - random / 4));
}

/**
 * What a death leaves behind in a place where `before` workers had died quickly in a row: how many it is now, 0 when this one had been up,
 * and how long the place waits.
 */
export function debtOf(
  { readyForMs, hasAnswered }: ShortLife,
  before: number,
  random: number,
): { streak: number; waitMs: number; soonMs: number | undefined } {
  if (!isQuickDeath(readyForMs)) return { streak: 0, waitMs: 0, soonMs: 0 };
  if (hasAnswered) return { streak: Math.min(before + 1, longestRowOfAnswering), waitMs: 0, soonMs: 0 };
  const streak = before + 1;
  const waitMs = delayMs(streak, random);
  return { streak, waitMs, soonMs: readyForMs === undefined ? undefined : Math.min(waitMs, firstDelayMs) };
}

export function addDebt(backoff: Backoff, debt: Debt): Backoff {
  return [...backoff, debt].toSorted((one, other) => one.dueAtMs - other.dueAtMs);
}

/** Places that may not be filled yet. */
export function heldPlaces(backoff: Backoff, nowMs: number): number {
  return backoff.filter((debt) => debt.dueAtMs > nowMs).length;
}

/** Fills a place: the earliest due debt is paid by the new worker, which carries its streak. */
export function payDebt(backoff: Backoff, nowMs: number): { backoff: Backoff; streak: number } {
  const [first, ...rest] = backoff;
  if (first === undefined || first.dueAtMs > nowMs) return { backoff, streak: 0 };
  return { backoff: rest, streak: first.streak };
}

/** Debts that were held for ever are due now. */
export function releaseHeld(backoff: Backoff, nowMs: number): Backoff {
  return backoff.map((debt) => (debt.dueAtMs === Infinity ? { ...debt, dueAtMs: nowMs } : debt));
}

/** Nobody serves and nobody boots: the place that can be filled first is due as soon as it may be. The others wait on. */
export function hastenFirst(backoff: Backoff): Backoff {
  const earliestMs = ({ dueAtMs, soonAtMs = Infinity }: Debt) => Math.min(dueAtMs, soonAtMs);
  const [first, ...rest] = backoff.toSorted((one, other) => earliestMs(one) - earliestMs(other));
  return first === undefined ? backoff : addDebt(rest, { ...first, dueAtMs: earliestMs(first) });
}

/**
 * So many places are given up, and owe nothing: those with the shortest rows, of equals those that would be filled last. An old place whose
 * workers die again and again keeps its row.
 */
export function forgiveShortest(backoff: Backoff, places: number): Backoff {
  const shortestFirst = backoff.toSorted((one, other) => one.streak - other.streak || other.dueAtMs - one.dueAtMs);
  const forgiven = new Set(shortestFirst.slice(0, Math.max(0, places)));
  return backoff.filter((debt) => !forgiven.has(debt));
}

/** When to look again; undefined when nothing waits. */
export function nextDueMs(backoff: Backoff, nowMs: number): number | undefined {
  return backoff.find((debt) => debt.dueAtMs > nowMs)?.dueAtMs;
}
