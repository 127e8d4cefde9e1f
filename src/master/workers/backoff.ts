/**
 * Decides when a dead worker is replaced: at once, unless it is one of a row of workers that died right after their start.
 *
 * A worker that dies before it was ready, or within `quickMs` of it, makes its place wait: it is filled again only
 * when the wait is over, and the worker that fills it carries the length of the row (`streak`) on. So each place has its own
 * delay (0, 0.5 s, 1 s, 2 s ... 30 s), the others serve on, and one that stays up ends the row by itself. A worker
 * that had been up (an operator's kill -9, an out-of-memory kill) causes no wait at all.
 *
 * The delays are for an application that cannot start. One that has answered a request can: its worker is replaced at once, however short it
 * lived. And while nobody serves, a place whose worker had been ready is filled again after `firstDelayMs` at most.
 */
export const quickMs = 5_000;
export const firstDelayMs = 500;
export const longestDelayMs = 30_000;

/** A place that waits before it is filled again. */
export interface WaitingPlace {
  /** workers that died quickly in a row in this place */
  readonly streak: number;
  readonly dueAtMs: number;
  /** when it is due while nobody serves; undefined when the worker never was ready */
  readonly soonAtMs?: number | undefined;
}

/** The life of a worker that has died. */
export interface WorkerLife {
  /** undefined when it never was ready */
  readonly readyForMs: number | undefined;
  readonly hasAnswered: boolean;
}

/** Workers that have answered count as this many in a row at most: the application can start. */
const longestRowOfAnswering = 2;

/** The places of one generation that wait, earliest first. */
export type Backoff = readonly WaitingPlace[];

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
 * The wait after a death in a place where `before` workers had died quickly in a row. `streak` counts this one too, and is 0 when it
 * had been up.
 */
export function waitAfterDeath(
  { readyForMs, hasAnswered }: WorkerLife,
  before: number,
  random: number,
): { streak: number; waitMs: number; soonMs: number | undefined } {
  if (!isQuickDeath(readyForMs)) return { streak: 0, waitMs: 0, soonMs: 0 };
  if (hasAnswered) return { streak: Math.min(before + 1, longestRowOfAnswering), waitMs: 0, soonMs: 0 };
  const streak = before + 1;
  const waitMs = delayMs(streak, random);
  return { streak, waitMs, soonMs: readyForMs === undefined ? undefined : Math.min(waitMs, firstDelayMs) };
}

export function addPlace(backoff: Backoff, place: WaitingPlace): Backoff {
  return [...backoff, place].toSorted((one, other) => one.dueAtMs - other.dueAtMs);
}

/** Places that may not be filled yet. */
export function heldPlaces(backoff: Backoff, nowMs: number): number {
  return backoff.filter((place) => place.dueAtMs > nowMs).length;
}

/** Fills a place: the one that is due first, whose streak the new worker carries on. */
export function fillPlace(backoff: Backoff, nowMs: number): { backoff: Backoff; streak: number } {
  const [first, ...rest] = backoff;
  if (first === undefined || first.dueAtMs > nowMs) return { backoff, streak: 0 };
  return { backoff: rest, streak: first.streak };
}

/** Places that were held without an end are due now. */
export function openHeld(backoff: Backoff, nowMs: number): Backoff {
  return backoff.map((place) => (place.dueAtMs === Infinity ? { ...place, dueAtMs: nowMs } : place));
}

/** Nobody serves and nobody boots: the place that can be filled first is due as soon as it may be. The others wait on. */
export function hastenFirst(backoff: Backoff): Backoff {
  const earliestMs = ({ dueAtMs, soonAtMs = Infinity }: WaitingPlace) => Math.min(dueAtMs, soonAtMs);
  const [first, ...rest] = backoff.toSorted((one, other) => earliestMs(one) - earliestMs(other));
  return first === undefined ? backoff : addPlace(rest, { ...first, dueAtMs: earliestMs(first) });
}

/**
 * So many places are given up: those with the shortest rows, and of equals those that would be filled last. An old place whose workers
 * die again and again keeps its row.
 */
export function dropShortest(backoff: Backoff, places: number): Backoff {
  const shortestFirst = backoff.toSorted((one, other) => one.streak - other.streak || other.dueAtMs - one.dueAtMs);
  const dropped = new Set(shortestFirst.slice(0, Math.max(0, places)));
  return backoff.filter((place) => !dropped.has(place));
}

/** When to look again; undefined when nothing waits. */
export function nextDueMs(backoff: Backoff, nowMs: number): number | undefined {
  return backoff.find((place) => place.dueAtMs > nowMs)?.dueAtMs;
}

/** The waiting places of all generations. A new generation starts without any. */
export class RestartBackoff {
  readonly #backoffs = new Map<number, Backoff>();

  /** Forgets the waits of generations that do not stay. */
  keepOnly(generations: ReadonlySet<number>): void {
    for (const generation of this.#backoffs.keys()) if (!generations.has(generation)) this.#backoffs.delete(generation);
  }

  /** places that are not to be filled now */
  held(generation: number | null, nowMs: number): number {
    return generation === null ? 0 : heldPlaces(this.#of(generation), nowMs);
  }

  add(generation: number, place: WaitingPlace): void {
    this.#backoffs.set(generation, addPlace(this.#of(generation), place));
  }

  /** Fills a place; returns the streak that its worker carries on. */
  fillPlace(generation: number, nowMs: number): number {
    const { backoff, streak } = fillPlace(this.#of(generation), nowMs);
    this.#backoffs.set(generation, backoff);
    return streak;
  }

  /** Nobody serves, and no worker of this generation boots: one place is filled sooner. */
  hastenFirst(generation: number): void {
    this.#backoffs.set(generation, hastenFirst(this.#of(generation)));
  }

  /** Places that were held without an end may be filled. */
  openHeld(generation: number, nowMs: number): void {
    this.#backoffs.set(generation, openHeld(this.#of(generation), nowMs));
  }

  /** So many places are not to be filled any more. */
  dropPlaces(generation: number, places: number): void {
    this.#backoffs.set(generation, dropShortest(this.#of(generation), places));
  }

  /** when the next place may be filled; Infinity when none waits */
  nextDueMs(nowMs: number): number {
    return Math.min(...[...this.#backoffs.values()].map((backoff) => nextDueMs(backoff, nowMs) ?? Infinity));
  }

  #of(generation: number): Backoff {
    return this.#backoffs.get(generation) ?? [];
  }
}
