/**
 * Changes of the number of workers. A change is done when the wanted number of workers serve and all retired ones have
 * exited. It fails when new workers die repeatedly, or do not become ready.
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

  /** The newest unfinished change, with the number of retired workers that have not exited. */
  get underWay(): { leaving: number } | undefined {
    return this.#waiting.at(-1)?.operation;
  }

  /** `utilisation` is given where the load is the reason. */
  begin({ from, to, utilisation }: ScaleChange, answer?: Deferred<ScaleResult>): void {
    this.#waiting.push({ from, to, operation: this.#operations.begin(), answer });
    const because = utilisation === undefined ? {} : { utilisation: Math.round(utilisation * 100) / 100 };
    this.#logger.info('scale', { from, workers: to, ...because });
    this.#emit('scale', { from, to, ...because });
  }

  /** A worker was retired. */
  noteRetired(worker: number): void {
    this.#waiting.at(-1)?.operation.sent(worker);
  }

  /** The wanted number of workers serve. */
  complete(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const scaling of waiting) this.#operations.conclude(scaling.operation, () => this.#done(scaling));
  }

  /**
   * A new worker died, as the `streak`th in a row in its place. If that makes the waiting changes fail, returns the
   * number of workers to go back to.
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
    const message = `the number of workers stays ${stays}, since a new one cannot serve: ${cause.message}`;
    const error = new EvyError('SCALE_FAILED', message, { cause });
    answer?.reject(error);
    const { code } = cause as Partial<EvyError>;
    this.#logger.error('scale.failed', { from, to, workers: stays, code, reason: cause.message });
    this.#emit('scale:failed', { from, to, error });
  }

  /** Fails the waiting changes: no more workers will start. */
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
