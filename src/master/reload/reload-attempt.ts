/** A reload that is under way: what it is to answer, and what has to be put back when it is undone. */
import { EvyError } from '../../shared/errors.ts';
import type { BakeWatch } from './bake.ts';
import type { Deferred } from '../outcomes/queue.ts';
import type { Operation } from '../outcomes/operations.ts';
import { nextReloadPhase } from '../outcomes/reload-phases.ts';
import type { ReloadInput, ReloadPhase } from '../outcomes/reload-phases.ts';
import { ReloadError } from '../outcomes/results.ts';
import type { ReloadResult } from '../outcomes/results.ts';

export class ReloadAttempt {
  /** the generation that it brings in */
  readonly number: number;
  readonly operation: Operation;
  /** the number of workers before, when this reload changed it */
  workersBefore: number | undefined;
  /** from the first ready worker on, when there is a bake time */
  bake: BakeWatch | undefined;
  #phase: ReloadPhase = 'preparing';
  readonly #replaced = new Set<number>();
  readonly #answer: Deferred<ReloadResult> | undefined;

  constructor(number: number, operation: Operation, answer: Deferred<ReloadResult> | undefined) {
    this.number = number;
    this.operation = operation;
    this.#answer = answer;
  }

  get phase(): ReloadPhase {
    return this.#phase;
  }
  move(input: ReloadInput): void {
    this.#phase = nextReloadPhase(this.#phase, input);
  }

  /** Whether old workers give up their places to new ones, or have done so. */
  get isRolling(): boolean {
    return this.#phase === 'rolling' || this.#phase === 'baking';
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
    this.move('gone');
    const { result } = this;
    this.#answer?.resolve(result);
    return result;
  }

  fail(cause: Error): ReloadError {
    const code = cause instanceof EvyError ? cause.code : undefined;
    this.move(code === 'RELOAD_ROLLED_BACK' ? 'condemn' : 'fail');
    const error = this.#error(cause, code === 'RELOAD_SUPERSEDED');
    this.#answer?.reject(error);
    return error;
  }

  #error(cause: Error, superseded: boolean): ReloadError {
    const result = { ...this.result, reason: cause.message };
    if (superseded) return new ReloadError('RELOAD_SUPERSEDED', cause.message, result, cause);
    const about = `reload to generation ${this.number}`;
    return this.#phase === 'rolled-back'
      ? new ReloadError(
          'RELOAD_ROLLED_BACK',
          `${about} was taken back, the old one serves again: ${cause.message}`,
          result,
          cause,
        )
      : new ReloadError('RELOAD_FAILED', `${about} failed, the old one serves on: ${cause.message}`, result, cause);
  }
}
