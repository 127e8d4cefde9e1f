/** Asks, where the option `workers` is a range, whether the load wants another number of workers; see load-policy.ts. */
import type { Crew } from './crew.ts';
import { changedAt, decideByLoad, noLoadYet } from './load-policy.ts';
import type { LoadMemory } from './load-policy.ts';
import type { Plan } from './plan.ts';

/** Workers report as often. */
const lookEveryMs = 1_000;

export interface LoadChange {
  readonly to: number;
  /** mean share of their time that the workers were busy, 0 to 1 */
  readonly utilisation: number;
}

export class LoadScaling {
  readonly #plan: Plan;
  readonly #crew: Crew;
  #memory: LoadMemory = noLoadYet;

  constructor(parts: { plan: Plan; crew: Crew }) {
    this.#plan = parts.plan;
    this.#crew = parts.crew;
  }

  /** Milliseconds until it is to be asked again, though nobody reports; undefined where it has no say. */
  get nextWakeMs(): number | undefined {
    const { least, most } = this.#plan.range;
    return least === most ? undefined : lookEveryMs;
  }

  /** The number was set by hand, or by a reload. */
  noteChange(): void {
    this.#memory = changedAt(performance.now());
  }

  /** Another number of workers, if the load wants one. Never while workers come or go for another reason. */
  next(): LoadChange | undefined {
    const { range, wanted } = this.#plan;
    const { ready } = this.#crew;
    if (range.least === range.most || wanted.ending !== 'no') return undefined;
    if (wanted.candidate !== null || ready.length !== wanted.workers) return undefined;
    const utilisations = ready.map(({ utilisation }) => utilisation);
    const calmMs = this.#plan.generation(wanted.serving).options.scaleDownAfterMs;
    const load = { nowMs: performance.now(), range, calmMs, workers: wanted.workers, utilisations };
    const { to, utilisation, memory } = decideByLoad(load, this.#memory);
    this.#memory = memory;
    return to === wanted.workers ? undefined : { to, utilisation };
  }
}
