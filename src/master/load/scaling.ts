/**
 * Changes of the number of workers: each is done when as many serve as are wanted and those that it sent away are gone. It has failed when
 * new workers die again and again, or do not get ready.
 */
import { EvyError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Emit } from '../outcomes/events.ts';
import type { Operation, Operations } from '../outcomes/operations.ts';
import type { Deferred } from '../outcomes/queue.ts';
import type { ScaleChange, ScaleResult } from '../outcomes/results.ts';

/** deaths in a row of new workers in one place, right after their start */
const mostDeaths = 3;

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

  /**
   * A new worker died, so many in a row in its place. Returns how many workers are to be wanted again, when that has ended what waits;
   * then nothing does any more.
   */
  noteDeath(error: Error, { streak, isLate }: { streak: number; isLate: boolean }): number | undefined {
    const [first] = this.#waiting;
    if (first === undefined || (streak < mostDeaths && !isLate)) return undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const scaling of waiting) this.#fail(scaling, first.from, error);
    return first.from;
  }

  #fail({ from, to, operation, answer }: Scaling, stays: number, cause: Error): void {
    this.#operations.conclude(operation);
    const message = `${stays} workers stay, as new ones cannot serve: ${cause.message}`;
    const error = new EvyError('SCALE_FAILED', message, { cause });
    answer?.reject(error);
    const { code } = cause as Partial<EvyError>;
    this.#logger.error('scale.failed', { from, to, workers: stays, code, reason: cause.message });
    this.#emit('scale:failed', { from, to, error });
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
