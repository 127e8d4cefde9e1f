/**
 * The start of a master. It is done when each of the first workers has become ready or has failed, and at least one serves.
 * Until one serves, no worker is replaced: if all of them fail, that is reported once, with the error of the first.
 */
import type { Logger } from '../../shared/log/log.ts';
import type { Deferred } from '../outcomes/queue.ts';
import type { ReloadCommand } from '../reload/reloading.ts';
import type { WorkerHandle } from '../workers/worker.ts';

export class StartWatch {
  /** the first workers have the ids 1 to this */
  readonly #firstWorkers: number;
  readonly #answer: Deferred<void>;
  /** reloads that were requested during the start, and wait for its end */
  readonly #heldReloads: ReloadCommand[] = [];
  #firstError: Error | undefined;
  #anyReady = false;

  constructor(firstWorkers: number, answer: Deferred<void>) {
    this.#firstWorkers = firstWorkers;
    this.#answer = answer;
  }

  get anyReady(): boolean {
    return this.#anyReady;
  }

  hold(reload: ReloadCommand): void {
    this.#heldReloads.push(reload);
  }

  /** Returns whether this worker is the first that is ready. A failure before it is logged now: the start as a whole has not failed. */
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

  isDone(workers: readonly WorkerHandle[]): boolean {
    const undecided = workers.some(
      ({ id, state }) => id <= this.#firstWorkers && state !== 'ready' && state !== 'draining',
    );
    return this.#anyReady && !undecided;
  }

  /** Answers the start. Returns the reloads that waited for it. */
  succeed(): ReloadCommand[] {
    this.#answer.resolve();
    return this.#heldReloads.splice(0);
  }

  /** The start will not succeed: the reloads that wait for it are rejected. `end()` answers the start itself, after the last worker. */
  abandon(error: Error): void {
    this.noteFailure(error);
    for (const { answer } of this.#heldReloads.splice(0)) answer?.reject(error);
  }

  /** The master stops before the start was done. */
  end(): void {
    this.#answer.reject(this.#firstError ?? new Error('ended before it was started'));
  }
}
