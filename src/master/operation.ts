/**
 * Reloads, scalings and a stop, as far as the workers count that they send away: one is over when it will send away no
 * more and the last of them has gone. What became of their connections is added up here.
 */

export interface Departures {
  /** connections that another worker took over */
  readonly moved: number;
  /** connections that ended, each after its last response */
  readonly drained: number;
  /** requests that got no whole response */
  readonly cut: number;
}

export class Operation {
  readonly #leaving = new Set<number>();
  readonly #startedAtMs = performance.now();
  #departures: Departures = { moved: 0, drained: 0, cut: 0 };
  #onOver: (() => void) | undefined;

  get departures(): Departures {
    return this.#departures;
  }
  /** workers that were sent away and are still there */
  get leaving(): number {
    return this.#leaving.size;
  }
  get durationMs(): number {
    return Math.round(performance.now() - this.#startedAtMs);
  }

  sent(worker: number): void {
    this.#leaving.add(worker);
  }

  gone(worker: number, { moved, drained, cut }: Departures): void {
    if (!this.#leaving.delete(worker)) return;
    const before = this.#departures;
    this.#departures = { moved: before.moved + moved, drained: before.drained + drained, cut: before.cut + cut };
    this.#settle();
  }

  /** It will send away no more; calls back once, now or when the last one has gone. */
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

/** Those that are not over: a worker's end is told to all of them. */
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
