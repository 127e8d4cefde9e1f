/** The stop: how long workers get, whom it waits for, and what came of it. */
import type { Operation, Operations } from './operation.ts';
import type { StopResult } from './results.ts';

export class Stopping {
  readonly #operations: Operations;
  #operation: Operation | undefined;
  #workers = 0;
  #graceMs: number | undefined;

  constructor(operations: Operations) {
    this.#operations = operations;
  }

  /** `workers` are all that there are, those that are leaving already too. */
  begin(graceMs: number | undefined, workers: readonly number[]): void {
    this.#graceMs = graceMs;
    this.#operation = this.#operations.begin();
    this.#workers = workers.length;
    for (const worker of workers) this.#operation.sent(worker);
  }

  get hasBegun(): boolean {
    return this.#operation !== undefined;
  }
  /** what the stop gives workers, if it says so */
  get graceMs(): number | undefined {
    return this.#graceMs;
  }

  /** Also of a master that ends without having been stopped: no worker could boot. */
  get result(): StopResult {
    const { durationMs = 0, departures = { moved: 0, drained: 0, cut: 0 } } = this.#operation ?? {};
    return { durationMs, workers: this.#workers, ...departures };
  }
}
