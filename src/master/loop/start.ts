/**
 * The start: done when each of the first workers has become ready or failed, and at least one serves. Until one does,
 * none is replaced: if they all fail it is told once, by the error of the first.
 */
import type { Logger } from '../../shared/log/log.ts';
import type { Deferred } from '../outcomes/queue.ts';
import type { WorkerHandle } from '../workers/worker.ts';

export class StartWatch {
  /** the first workers have the ids 1 to this */
  readonly #firstWorkers: number;
  readonly #answer: Deferred<void>;
  #firstError: Error | undefined;
  #anyReady = false;

  constructor(firstWorkers: number, answer: Deferred<void>) {
    this.#firstWorkers = firstWorkers;
    this.#answer = answer;
  }

  get anyReady(): boolean {
    return this.#anyReady;
  }

  /** Whether this is the first one that is ready. What failed before it is told now: not the whole start will. */
  noteReady(logger: Logger): boolean {
    const first = !this.#anyReady;
    this.#anyReady = true;
    if (first && this.#firstError) logger.warn('worker.failed', { message: this.#firstError.message });
    return first;
  }

  noteFailure(error: Error): void {
    this.#firstError ??= error;
  }

  isHopeless(workers: readonly WorkerHandle[]): boolean {
    return !this.#anyReady && workers.length === 0;
  }

  /** Whether the start is over; it is answered then. */
  isDone(workers: readonly WorkerHandle[]): boolean {
    const undecided = workers.some(
      ({ id, state }) => id <= this.#firstWorkers && state !== 'ready' && state !== 'draining',
    );
    if (!this.#anyReady || undecided) return false;
    this.#answer.resolve();
    return true;
  }

  /** The master ends before the start was done. */
  end(): void {
    this.#answer.reject(this.#firstError ?? new Error('ended before it was started'));
  }
}
