/**
 * The plan says what is wanted: the number of workers, the generation that serves, and the one that a reload brings in. It knows no
 * workers; reconcile compares them with it.
 */
import { isDeepStrictEqual } from 'node:util';
import { clampToRange, mostWorkers } from '../../shared/options/worker-range.ts';
import type { WorkerRange } from '../../shared/options/worker-range.ts';
import type { Generation } from './generation.ts';

export interface Wanted {
  readonly workers: number;
  /** live workers above `workers` that a replacement may take */
  readonly surge: number;
  readonly serving: number;
  /** the generation that a reload brings in, or null */
  readonly candidate: number | null;
  /** whether workers of the serving generation stand by when the candidate's take their places */
  readonly warm: boolean;
  readonly ending: 'no' | 'graceful' | 'now';
}

export class Plan {
  readonly #generations = new Map<number, Generation>();
  #wanted: Wanted;

  /** `workers` to begin with; by default the fewest that the configuration allows */
  constructor(first: Generation, workers: number = first.options.workers.least) {
    const { surge } = first.options;
    this.#generations.set(first.number, first);
    this.#wanted = { workers, surge, serving: first.number, candidate: null, warm: false, ending: 'no' };
  }

  get wanted(): Wanted {
    return this.#wanted;
  }
  /** the range in the serving generation's configuration */
  get range(): WorkerRange {
    return this.generation(this.#wanted.serving).options.workers;
  }
  /** @throws {Error} when it is neither serving nor a candidate */
  generation(number: number): Generation {
    const found = this.#generations.get(number);
    if (!found) throw new Error(`generation ${number} is not wanted`);
    return found;
  }
  get generationNumbers(): ReadonlySet<number> {
    return new Set(this.#generations.keys());
  }

  /** Starts to bring in this generation. */
  propose(generation: Generation): void {
    const { surge, bakeMs } = generation.options;
    this.#generations.set(generation.number, generation);
    this.#wanted = { ...this.#wanted, candidate: generation.number, surge, warm: bakeMs > 0 };
  }

  /**
   * Sets the number of workers from the candidate's configuration. Returns the previous number, or undefined when the
   * number stays: a number that a person or the load has set stays unless the configured number has changed.
   */
  applyWorkersOf(candidate: number): number | undefined {
    const { serving, workers } = this.#wanted;
    const configured = this.generation(candidate).options.workers;
    if (isDeepStrictEqual(configured, this.generation(serving).options.workers)) return undefined;
    this.#wanted = { ...this.#wanted, workers: clampToRange(workers, configured) };
    return workers;
  }

  /** The candidate becomes the serving generation. */
  promote(): void {
    const { candidate, serving } = this.#wanted;
    this.#wanted = { ...this.#wanted, serving: candidate ?? serving, candidate: null, warm: false };
    this.#forgetUnwanted();
  }

  /** Removes the candidate and restores the number of workers. */
  withdraw(workersBefore: number | undefined): void {
    const { serving, workers } = this.#wanted;
    const { surge } = this.generation(serving).options;
    this.#wanted = { ...this.#wanted, workers: workersBefore ?? workers, surge, candidate: null, warm: false };
    this.#forgetUnwanted();
  }

  scale(change: { to: number } | { by: number }): { from: number; to: number } {
    const from = this.#wanted.workers;
    const to = Math.min(mostWorkers, Math.max(1, 'to' in change ? change.to : from + change.by));
    this.#wanted = { ...this.#wanted, workers: to };
    return { from, to };
  }

  end(ending: 'graceful' | 'now'): void {
    if (this.#wanted.ending !== 'now') this.#wanted = { ...this.#wanted, ending };
  }

  /** The master keeps serving, since the next master has failed. */
  resume(): void {
    if (this.#wanted.ending === 'graceful') this.#wanted = { ...this.#wanted, ending: 'no' };
  }

  #forgetUnwanted(): void {
    const { serving, candidate } = this.#wanted;
    for (const number of this.#generations.keys()) {
      if (number !== serving && number !== candidate) this.#generations.delete(number);
    }
  }
}
