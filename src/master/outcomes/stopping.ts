/** The stop, or the hand-over to a new master, which is one but for idle connections: how long workers get, whom it waits for, and what came of it. */
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

  /** `workers` are all that there are, those that are leaving already too. */
  begin(idle: 'close' | 'move', graceMs: number | undefined, workers: readonly number[]): void {
    this.#idle = idle;
    this.#graceMs = graceMs;
    this.#operation = this.#operations.begin();
    this.#workers = workers.length;
    for (const worker of workers) this.#operation.sent(worker);
  }

  /** Whether there is nobody to send idle clients to. */
  get closesIdle(): boolean {
    return this.#operation !== undefined && this.#idle === 'close';
  }
  /** A stop was asked for while connections move: nothing waits for them any more. */
  hurry(graceMs: number | undefined): void {
    this.#idle = 'close';
    this.#graceMs = graceMs ?? this.#graceMs;
  }
  /** There is no stop any more. */
  cancel(): void {
    if (this.#operation) this.#operations.conclude(this.#operation);
    this.#operation = undefined;
    this.#graceMs = undefined;
  }
  /** what the stop gives workers, if it says so */
  get graceMs(): number | undefined {
    return this.#graceMs;
  }

  /** Also of a master that ends without having been stopped: no worker could boot. */
  get result(): StopResult {
    const { durationMs = 0, departures = noDepartures } = this.#operation ?? {};
    return { durationMs, workers: this.#workers, ...departures };
  }
}
