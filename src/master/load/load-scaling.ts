/** Where the option `workers` is a range, asks the load policy (load-policy.ts) whether another number of workers is needed. */
import type { Plan } from '../generations/plan.ts';
import type { Crew } from '../workers/crew.ts';
import { changedAt, decideByLoad, mayGrow, noLoadYet, pauseAfterFailure, pauseAfterReady } from './load-policy.ts';
import type { LoadMemory, LoadPause } from './load-policy.ts';

/** Workers report at the same interval. */
const lookEveryMs = 1_000;

export interface LoadChange {
  readonly to: number;
  /** mean share of their time that the workers were busy, 0 to 1 */
  readonly utilisation: number;
}

export interface LoadScalingParts {
  readonly plan: Pick<Plan, 'range' | 'wanted' | 'generation'>;
  readonly crew: { readonly ready: ReadonlyArray<Pick<Crew['ready'][number], 'utilisation'>> };
  /** a monotonic clock; the process's own by default */
  readonly nowMs?: () => number;
}

export class LoadScaling {
  readonly #plan: LoadScalingParts['plan'];
  readonly #crew: LoadScalingParts['crew'];
  readonly #now: () => number;
  #memory: LoadMemory = noLoadYet;
  #pause: LoadPause | undefined;

  constructor({ plan, crew, nowMs }: LoadScalingParts) {
    this.#plan = plan;
    this.#crew = crew;
    this.#now = nowMs ?? (() => performance.now());
  }

  /**
   * Milliseconds until it must be asked again, even without a report; undefined where the number of workers is fixed.
   */
  get nextWakeMs(): number | undefined {
    const { least, most } = this.#plan.range;
    return least === most ? undefined : lookEveryMs;
  }

  /** To be called when the number was set by hand, or by a reload. */
  noteChange(): void {
    this.#memory = changedAt(this.#now());
  }

  /** To be called when a change was undone, since new workers of this generation cannot serve. */
  noteFailure(generation: number): void {
    this.#pause = pauseAfterFailure(this.#pause, generation, this.#now());
  }

  noteReady(generation: number): void {
    this.#pause = pauseAfterReady(this.#pause, generation);
  }

  /** Returns another number of workers if the load needs one; never while workers start or leave for another reason. */
  next(): LoadChange | undefined {
    const { range, wanted } = this.#plan;
    const { ready } = this.#crew;
    if (range.least === range.most || wanted.ending !== 'no') return undefined;
    if (wanted.candidate !== null || ready.length !== wanted.workers) return undefined;
    const utilisations = ready.map(({ utilisation }) => utilisation);
    const calmMs = this.#plan.generation(wanted.serving).options.scaleDownAfterMs;
    const nowMs = this.#now();
    const canGrow = mayGrow(this.#pause, wanted.serving, nowMs);
    const load = { nowMs, range, calmMs, canGrow, workers: wanted.workers, utilisations };
    const { to, utilisation, memory } = decideByLoad(load, this.#memory);
    this.#memory = memory;
    return to === wanted.workers ? undefined : { to, utilisation };
  }
}
