/** What the places of each generation owe (backoff.ts). A new generation starts without debts. */
import { addDebt, forgiveShortest, hastenFirst, heldPlaces, nextDueMs, payDebt, releaseHeld } from './backoff.ts';
import type { Backoff, Debt } from './backoff.ts';

export class Debts {
  readonly #backoffs = new Map<number, Backoff>();

  /** What the generations owe that do not stay is forgotten. */
  want(generations: ReadonlySet<number>): void {
    for (const generation of this.#backoffs.keys()) if (!generations.has(generation)) this.#backoffs.delete(generation);
  }

  /** places that are not to be filled now */
  held(generation: number | null, nowMs: number): number {
    return generation === null ? 0 : heldPlaces(this.#of(generation), nowMs);
  }

  add(generation: number, debt: Debt): void {
    this.#backoffs.set(generation, addDebt(this.#of(generation), debt));
  }

  /** Fills a place; returns the streak that its worker carries on. */
  pay(generation: number, nowMs: number): number {
    const { backoff, streak } = payDebt(this.#of(generation), nowMs);
    this.#backoffs.set(generation, backoff);
    return streak;
  }

  /** Nobody serves, and nobody of this generation boots. */
  hastenFirst(generation: number): void {
    this.#backoffs.set(generation, hastenFirst(this.#of(generation)));
  }

  /** Opens the places that were held for ever. */
  release(generation: number, nowMs: number): void {
    this.#backoffs.set(generation, releaseHeld(this.#of(generation), nowMs));
  }

  /** So many places are not to be filled any more. */
  forgive(generation: number, places: number): void {
    this.#backoffs.set(generation, forgiveShortest(this.#of(generation), places));
  }

  /** when the next place may be filled; Infinity when none waits */
  nextDueMs(nowMs: number): number {
    return Math.min(...[...this.#backoffs.values()].map((backoff) => nextDueMs(backoff, nowMs) ?? Infinity));
  }

  #of(generation: number): Backoff {
    return this.#backoffs.get(generation) ?? [];
  }
}
