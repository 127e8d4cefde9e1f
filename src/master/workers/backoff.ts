/**
 * Decides when a dead worker is replaced: immediately, unless it is one of several in a row that died right after their
 * start.
 *
 * When a worker dies before it was ready, or within `quickMs` of it, its place is filled again only after a delay. The
 * replacement inherits the count of such deaths in a row (`streak`). So each place has its own delay (0, 0.5 s, 1 s, 2
 * s ... 30 s), the other workers serve on, and a worker that stays up resets its place. A worker that had been up (kill
 * -9 by an operator, an out-of-memory kill) causes no delay.
 *
 * The delays are meant for an application that cannot start. An application that has answered a request can, so its
 * worker is replaced immediately, however short it lived. And while no worker serves, a place whose worker had been
 * ready is filled again after `firstDelayMs` at most.
 */
const quickMs = 5_000;
const firstDelayMs = 500;
const longestDelayMs = 30_000;

/** A place that is to be filled after a delay. */
export interface WaitingPlace {
  /** workers in this place that died quickly in a row */
  readonly streak: number;
  readonly dueAtMs: number;
  /** when it is due while no worker serves; undefined when its worker never was ready */
  readonly soonAtMs?: number | undefined;
}

/** The life of a worker that has died. */
export interface WorkerLife {
  /** undefined when it never was ready */
  readonly readyForMs: number | undefined;
  readonly hasAnswered: boolean;
}

/** Workers that have answered count as this many in a row at most, since the application can start. */
const longestRowOfAnswering = 2;

/** The waiting places of one generation, earliest first. */
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
 * The delay after a death in a place where `before` workers had died quickly in a row. `streak` includes this death,
 * and is 0 when the worker had been up.
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

/** How many places must not be filled yet. */
export function heldPlaces(backoff: Backoff, nowMs: number): number {
  return backoff.filter((place) => place.dueAtMs > nowMs).length;
}

/** Fills the place that is due first. Returns its streak, which the new worker inherits. */
export function fillPlace(backoff: Backoff, nowMs: number): { backoff: Backoff; streak: number } {
  const [first, ...rest] = backoff;
  if (first === undefined || first.dueAtMs > nowMs) return { backoff, streak: 0 };
  return { backoff: rest, streak: first.streak };
}

/** Makes places due that were held without an end. */
export function openHeld(backoff: Backoff, nowMs: number): Backoff {
  return backoff.map((place) => (place.dueAtMs === Infinity ? { ...place, dueAtMs: nowMs } : place));
}

/**
 * While no worker serves or boots, the place that can be filled first becomes due as soon as possible. The others keep
 * their delays.
 */
export function hastenFirst(backoff: Backoff): Backoff {
  const earliestMs = ({ dueAtMs, soonAtMs = Infinity }: WaitingPlace) => Math.min(dueAtMs, soonAtMs);
  const [first, ...rest] = backoff.toSorted((one, other) => earliestMs(one) - earliestMs(other));
  return first === undefined ? backoff : addPlace(rest, { ...first, dueAtMs: earliestMs(first) });
}

/**
 * Gives up so many places: those with the shortest rows, and among equals those that would be filled last. An old place
 * whose workers die again and again keeps its row.
 */
export function dropShortest(backoff: Backoff, places: number): Backoff {
  const shortestFirst = backoff.toSorted((one, other) => one.streak - other.streak || other.dueAtMs - one.dueAtMs);
  const dropped = new Set(shortestFirst.slice(0, Math.max(0, places)));
  return backoff.filter((place) => !dropped.has(place));
}

/** When to check again; undefined when no place waits. */
export function nextDueMs(backoff: Backoff, nowMs: number): number | undefined {
  return backoff.find((place) => place.dueAtMs > nowMs)?.dueAtMs;
}

/** The waiting places of all generations. A new generation starts without any. */
export class RestartBackoff {
  readonly #backoffs = new Map<number, Backoff>();

  /** Drops the places of generations that do not stay. */
  keepOnly(generations: ReadonlySet<number>): void {
    for (const generation of this.#backoffs.keys()) if (!generations.has(generation)) this.#backoffs.delete(generation);
  }

  /** places that must not be filled now */
  held(generation: number | null, nowMs: number): number {
    return generation === null ? 0 : heldPlaces(this.#of(generation), nowMs);
  }

  add(generation: number, place: WaitingPlace): void {
    this.#backoffs.set(generation, addPlace(this.#of(generation), place));
  }

  /** Fills a place. Returns the streak that its worker inherits. */
  fillPlace(generation: number, nowMs: number): number {
    const { backoff, streak } = fillPlace(this.#of(generation), nowMs);
    this.#backoffs.set(generation, backoff);
    return streak;
  }

  /** Fills one place sooner, since no worker serves and none of this generation boots. */
  hastenFirst(generation: number): void {
    this.#backoffs.set(generation, hastenFirst(this.#of(generation)));
  }

  /** Makes places due that were held without an end. */
  openHeld(generation: number, nowMs: number): void {
    this.#backoffs.set(generation, openHeld(this.#of(generation), nowMs));
  }

  /** Gives up so many places. */
  dropPlaces(generation: number, places: number): void {
    this.#backoffs.set(generation, dropShortest(this.#of(generation), places));
  }

  /** when the next place is due; Infinity when none waits */
  nextDueMs(nowMs: number): number {
    return Math.min(...[...this.#backoffs.values()].map((backoff) => nextDueMs(backoff, nowMs) ?? Infinity));
  }

  #of(generation: number): Backoff {
    return this.#backoffs.get(generation) ?? [];
  }
}
