/** Emits how far reloads, scalings and a stop are, each time that it has changed. */
import { isDeepStrictEqual } from 'node:util';
import type { Wanted } from '../generations/plan.ts';
import type { Emit } from '../outcomes/events.ts';
import type { Progress } from '../outcomes/results.ts';
import type { Reloading } from '../reload/reloading.ts';
import type { SeenWorker } from '../workers/worker-states.ts';

export interface UnderWay {
  readonly reloads: Reloading['underWay'];
  readonly scaling: { readonly leaving: number } | undefined;
  readonly stopping: boolean;
}

export function progressOf(
  { reloads, scaling, stopping }: UnderWay,
  wanted: Wanted,
  seen: readonly SeenWorker[],
): Progress[] {
  const { workers } = wanted;
  const ready = seen.filter(({ state }) => state === 'ready');
  if (stopping) return [{ operation: 'stop', ready: ready.length, workers: 0, leaving: seen.length - ready.length }];
  const steps: Progress[] = reloads.map(({ generation, phase, leaving }) => {
    const own = ready.filter((worker) => worker.generation === generation).length;
    return { operation: 'reload', generation, phase, ready: own, workers, leaving };
  });
  if (scaling !== undefined) steps.push({ operation: 'scale', ready: ready.length, workers, leaving: scaling.leaving });
  return steps;
}

export class ProgressReport {
  readonly #emit: Emit;
  #last: readonly Progress[] = [];

  constructor(emit: Emit) {
    this.#emit = emit;
  }

  tell(steps: readonly Progress[]): void {
    for (const step of steps) if (!this.#last.some((one) => isDeepStrictEqual(one, step))) this.#emit('progress', step);
    this.#last = steps;
  }
}
