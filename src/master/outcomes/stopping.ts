/**
 * The stop of a master: how long its workers may take, which workers it waits for, and its result. Handing over to the next master is
 * a stop in which idle connections move instead of being closed.
 */
import { noDepartures } from './operations.ts';
import type { Operation, Operations } from './operations.ts';
import type { StopResult } from './results.ts';

export class Stopping {
  readonly #operations: Operations;
  #operation: Operation | undefined;
  #workers = 0;
  #graceMs: number | undefined;
  #idle: 'close' | 'move' = 'close';

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  /** `workers` are the ids of all workers, including those that are leaving already. */
  begin(idle: 'close' | 'move', graceMs: number | undefined, workers: readonly number[]): void {
    this.#idle = idle;
    this.#graceMs = graceMs;
    this.#operation = this.#operations.begin();
    this.#workers = workers.length;
    for (const worker of workers) this.#operation.sent(worker);
  }

  /** Whether idle connections are closed, since nothing can take them. */
  get closesIdle(): boolean {
    return this.#operation !== undefined && this.#idle === 'close';
  }
  /** A stop was asked for while connections move to the next master: they are closed now. */
  hurry(graceMs: number | undefined): void {
    this.#idle = 'close';
    this.#graceMs = graceMs ?? this.#graceMs;
  }
  /** The stop is cancelled: the master serves on. */
  cancel(): void {
    if (this.#operation) this.#operations.conclude(this.#operation);
    this.#operation = undefined;
    this.#graceMs = undefined;
  }
  /** the grace time of this stop, if it sets one */
  get graceMs(): number | undefined {
    return this.#graceMs;
  }

  /** It is defined for a master that ends without a stop, too: one whose workers could not boot. */
  get result(): StopResult {
    const { durationMs = 0, departures = noDepartures } = this.#operation ?? {};
    return { durationMs, workers: this.#workers, ...departures };
  }
}
