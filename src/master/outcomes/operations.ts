/**
 * Counts the workers that a reload, a scaling or a stop retires. Such an operation is over when it will retire no more workers and the
 * last of them has gone. What became of their connections is added up here.
 */

export interface Departures {
  /** connections that another worker adopted */
  readonly moved: number;
  /** connections that ended after their last response, or were closed by their clients */
  readonly drained: number;
  /** connections that were closed without an announcement: idle ones at the end, and those of a worker that died */
  readonly closed: number;
  /** requests whose response was not completed */
  readonly cut: number;
}

export const noDepartures: Departures = { moved: 0, drained: 0, closed: 0, cut: 0 };

function sum(one: Departures, other: Departures): Departures {
  return {
    moved: one.moved + other.moved,
    drained: one.drained + other.drained,
    closed: one.closed + other.closed,
    cut: one.cut + other.cut,
  };
}

export class Operation {
  readonly #leaving = new Set<number>();
  readonly #startedAtMs = performance.now();
  #departures: Departures = noDepartures;
  #onOver: (() => void) | undefined;

  get departures(): Departures {
    return this.#departures;
  }
  /** retired workers that have not exited */
  get leaving(): number {
    return this.#leaving.size;
  }
  get durationMs(): number {
    return Math.round(performance.now() - this.#startedAtMs);
  }

  sent(worker: number): void {
    this.#leaving.add(worker);
  }

  gone(worker: number, departures: Departures): void {
    if (!this.#leaving.delete(worker)) return;
    this.#departures = sum(this.#departures, departures);
    this.#settle();
  }

  /** Ends the counting: no more workers will be retired. Calls back once, now or when the last one has exited. */
  conclude(onOver: () => void): void {
    this.#onOver = onOver;
    this.#settle();
  }

  #settle(): void {
    if (this.#leaving.size > 0) return;
    const onOver = this.#onOver;
    this.#onOver = undefined;
    onOver?.();
  }
}

/** The operations that are not over. Each is notified when any worker exits. */
export class Operations {
  readonly #open = new Set<Operation>();

  begin(): Operation {
    const operation = new Operation();
    this.#open.add(operation);
    return operation;
  }

  conclude(operation: Operation, onOver: () => void = () => {}): void {
    operation.conclude(() => {
      this.#open.delete(operation);
      onOver();
    });
  }

  gone(worker: number, departures: Departures): void {
    for (const operation of this.#open) operation.gone(worker, departures);
  }
}
