/** A reload that is under way: what it is to answer, and what has to be put back when it is undone. */
import { EvyError } from '../shared/errors.ts';
import type { BakeWatch } from './bake.ts';
import type { Deferred } from './command-queue.ts';
import type { Operation } from './operation.ts';
import { ReloadError } from './results.ts';
import type { ReloadPhase, ReloadResult } from './results.ts';

export class ReloadAttempt {
  /** the generation that it brings in */
  readonly number: number;
  readonly operation: Operation;
  phase: ReloadPhase = 'preparing';
  /** the number of workers before, when this reload changed it */
  workersBefore: number | undefined;
  /** from the first ready worker on, when there is a bake time */
  bake: BakeWatch | undefined;
  readonly #replaced = new Set<number>();
  readonly #answer: Deferred<ReloadResult> | undefined;

  constructor(number: number, operation: Operation, answer: Deferred<ReloadResult> | undefined) {
    this.number = number;
    this.operation = operation;
    this.#answer = answer;
  }

  /** Whether old workers give up their places to new ones, or have done so. */
  get isRolling(): boolean {
    return this.phase === 'rolling' || this.phase === 'baking';
  }

  /** An old worker gave up its place; it may stand by first and leave later. */
  noteReplaced(worker: number): void {
    this.#replaced.add(worker);
  }

  /** as far as it is known by now */
  get result(): ReloadResult {
    const { durationMs, departures } = this.operation;
    return { generation: this.number, durationMs, replaced: this.#replaced.size, ...departures };
  }

  succeed(): ReloadResult {
    const { result } = this;
    this.#answer?.resolve(result);
    return result;
  }

  fail(cause: Error): ReloadError {
    const result = { ...this.result, reason: cause.message };
    const superseded = cause instanceof EvyError && cause.code === 'RELOAD_SUPERSEDED';
    // It had served already.
    const isBack = this.phase === 'baking' || (cause instanceof EvyError && cause.code === 'RELOAD_ROLLED_BACK');
    const error = superseded
      ? new ReloadError('RELOAD_SUPERSEDED', cause.message, result, cause)
      : isBack
        ? new ReloadError(
            'RELOAD_ROLLED_BACK',
            this.#text('was taken back, the old one serves again', cause),
            result,
            cause,
          )
        : new ReloadError('RELOAD_FAILED', this.#text('failed, the old one serves on', cause), result, cause);
    this.#answer?.reject(error);
    return error;
  }

  #text(what: string, cause: Error): string {
    return `reload to generation ${this.number} ${what}: ${cause.message}`;
  }
}
