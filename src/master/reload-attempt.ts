/** A reload that is under way: what it is to answer, and what has to be put back when it is undone. */
import { EvyError } from '../shared/errors.ts';
import type { Deferred } from './command-queue.ts';
import type { ReloadResult } from './commands.ts';

export class ReloadAttempt {
  /** the generation that it brings in */
  readonly number: number;
  /** preparing: reads and checks; canary: its first worker boots; rolling: the others follow */
  phase: 'preparing' | 'canary' | 'rolling' = 'preparing';
  replaced = 0;
  /** the number of workers before, when this reload changed it */
  workersBefore: number | undefined;
  readonly #startedAtMs = performance.now();
  readonly #answer: Deferred<ReloadResult> | undefined;

  constructor(number: number, answer: Deferred<ReloadResult> | undefined) {
    this.number = number;
    this.#answer = answer;
  }

  succeed(): ReloadResult {
    const durationMs = Math.round(performance.now() - this.#startedAtMs);
    const result = { generation: this.number, durationMs, replaced: this.replaced };
    this.#answer?.resolve(result);
    return result;
  }

  fail(cause: Error): EvyError {
    const superseded = cause instanceof EvyError && cause.code === 'RELOAD_SUPERSEDED';
    const message = `reload to generation ${this.number} failed, the old one serves on: ${cause.message}`;
    const error = superseded ? cause : new EvyError('RELOAD_FAILED', message, { cause });
    this.#answer?.reject(error);
    return error;
  }
}
