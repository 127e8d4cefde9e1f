/** Changes of the number of workers: each is done when as many serve as are wanted and those that it sent away are gone. */
import type { Logger } from '../shared/log.ts';
import type { Deferred } from './command-queue.ts';
import type { Emit } from './events.ts';
import type { Operation, Operations } from './operation.ts';
import type { ScaleChange, ScaleResult } from './results.ts';

interface Scaling {
  readonly from: number;
  readonly to: number;
  readonly operation: Operation;
  readonly answer: Deferred<ScaleResult> | undefined;
}

export class Scalings {
  readonly #operations: Operations;
  readonly #logger: Logger;
  readonly #emit: Emit;
  #waiting: Scaling[] = [];

  constructor(parts: { operations: Operations; logger: Logger; emit: Emit }) {
    this.#operations = parts.operations;
    this.#logger = parts.logger;
    this.#emit = parts.emit;
  }

  /** The newest one that waits: workers that it has sent away and that are still there. */
  get underWay(): { leaving: number } | undefined {
    return this.#waiting.at(-1)?.operation;
  }

  /** `utilisation` where it is the load that wants it. */
  begin({ from, to, utilisation }: ScaleChange, answer?: Deferred<ScaleResult>): void {
    this.#waiting.push({ from, to, operation: this.#operations.begin(), answer });
    const because = utilisation === undefined ? {} : { utilisation: Math.round(utilisation * 100) / 100 };
    this.#logger.info('scale', { from, workers: to, ...because });
    this.#emit('scale', { from, to, ...because });
  }

  /** A worker was told to leave. */
  noteRetired(worker: number): void {
    this.#waiting.at(-1)?.operation.sent(worker);
  }

  /** As many workers serve as are wanted. */
  complete(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const scaling of waiting) this.#operations.conclude(scaling.operation, () => this.#done(scaling));
  }

  /** What they wait for will not come. */
  abandon(error: Error): void {
    for (const { answer, operation } of this.#waiting) {
      this.#operations.conclude(operation);
      answer?.reject(error);
    }
    this.#waiting = [];
  }

  #done({ from, to, operation, answer }: Scaling): void {
    const result = { from, to, durationMs: operation.durationMs, ...operation.departures };
    answer?.resolve(result);
    this.#logger.info('scale.done', { ...result });
    this.#emit('scale:done', result);
  }
}
