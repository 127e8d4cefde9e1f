/**
 * What is wanted, and how commands change it: the number of workers, the generation that serves, the one that a reload
 * brings in. Workers do not appear here; reconcile compares them with this.
 */
import { EvyError } from '../shared/errors.ts';
import type { Logger } from '../shared/log.ts';
import { userStackOf } from '../shared/user-error.ts';
import type { Deferred } from './command-queue.ts';
import type { Preparation, ReloadResult } from './commands.ts';
import type { Emit } from './events.ts';
import type { Generation } from './generation.ts';
import type { Wanted } from './reconcile.ts';
import { ReloadAttempt } from './reload-attempt.ts';

export const mostWorkers = 1024;

export interface PlanParts {
  readonly first: Generation;
  readonly logger: Logger;
  readonly emit: Emit;
  /** reads the configuration and looks for the application anew; the outcome comes back to `prepared()` */
  readonly prepare: (number: number) => void;
}

export class Plan {
  readonly #parts: PlanParts;
  readonly #generations = new Map<number, Generation>();
  #wanted: Wanted;
  #attempt: ReloadAttempt | undefined;
  #lastNumber: number;

  constructor(parts: PlanParts) {
    const { first } = parts;
    this.#parts = parts;
    this.#generations.set(first.number, first);
    this.#lastNumber = first.number;
    this.#wanted = {
      workers: first.options.workers,
      surge: first.options.surge,
      serving: first.number,
      candidate: null,
      ending: 'no',
    };
  }

  get wanted(): Wanted {
    return this.#wanted;
  }
  get reloading(): boolean {
    return this.#attempt !== undefined;
  }
  /** The generation whose settings count for what is done now. */
  get current(): Generation {
    const { candidate, serving } = this.#wanted;
    return this.generation(this.#attempt?.phase === 'rolling' && candidate !== null ? candidate : serving);
  }
  /** @throws {Error} when it is neither serving nor a candidate */
  generation(number: number): Generation {
    const found = this.#generations.get(number);
    if (!found) throw new Error(`generation ${number} is not wanted`);
    return found;
  }
  get generationNumbers(): ReadonlySet<number> {
    return new Set(this.#generations.keys());
  }

  beginReload(answer: Deferred<ReloadResult> | undefined): void {
    this.failReload(new EvyError('RELOAD_SUPERSEDED', 'a later reload came before this one was done'));
    this.#lastNumber += 1;
    const generation = this.#lastNumber;
    this.#attempt = new ReloadAttempt(generation, answer);
    this.#parts.logger.info('reload.started', { generation });
    this.#parts.emit('reload:started', { generation });
    this.#parts.prepare(generation);
  }

  prepared(number: number, outcome: Preparation): void {
    if (this.#attempt?.number !== number) return; // superseded meanwhile
    if ('error' in outcome) {
      this.failReload(outcome.error);
      return;
    }
    for (const option of outcome.ignored) {
      this.#parts.logger.warn('option.ignored', { option, message: 'a reload cannot change it; restart to apply' });
    }
    this.#attempt.phase = 'canary';
    this.#generations.set(number, outcome.generation);
    this.#wanted = { ...this.#wanted, candidate: number, surge: outcome.generation.options.surge };
  }

  /** A worker of the candidate is ready: from the first one on the others follow. */
  candidateReady(): void {
    const attempt = this.#attempt;
    if (attempt?.phase !== 'canary') return;
    attempt.phase = 'rolling';
    // A count that was set by hand stays, unless the configuration's own has changed.
    const { serving, workers } = this.#wanted;
    const configured = this.generation(attempt.number).options.workers;
    if (configured === this.generation(serving).options.workers) return;
    attempt.workersBefore = workers;
    this.#wanted = { ...this.#wanted, workers: configured };
  }

  /** A worker was told to leave. */
  noteRetired(generation: number): void {
    if (this.#attempt?.phase === 'rolling' && generation !== this.#attempt.number) this.#attempt.replaced += 1;
  }

  finishReload(): void {
    const attempt = this.#attempt;
    if (!attempt) return;
    const result = attempt.succeed();
    this.#attempt = undefined;
    this.#wanted = { ...this.#wanted, serving: attempt.number, candidate: null };
    this.#forgetUnwanted();
    this.#parts.logger.info('reload.done', { ...result });
    this.#parts.emit('reload:done', result);
  }

  /** Ends the reload under way, if any: the old generation takes back what it gave up. */
  failReload(cause: Error): void {
    const attempt = this.#attempt;
    if (!attempt) return;
    this.#attempt = undefined;
    const { serving, workers } = this.#wanted;
    const { surge } = this.generation(serving).options;
    this.#wanted = { ...this.#wanted, candidate: null, surge, workers: attempt.workersBefore ?? workers };
    this.#forgetUnwanted();
    const generation = attempt.number;
    const code = cause instanceof EvyError ? cause.code : 'INTERNAL';
    // Of our own errors only the application's stack tells anything.
    const stack = cause instanceof EvyError ? userStackOf(cause) : cause.stack;
    const error = attempt.fail(cause);
    // One that was superseded is nobody's fault: whoever watches for failures is not to be called.
    const level = code === 'RELOAD_SUPERSEDED' ? 'info' : 'error';
    this.#parts.logger[level]('reload.failed', { generation, code, message: cause.message, stack });
    this.#parts.emit('reload:failed', { generation, error });
  }

  scale(change: { to: number } | { by: number }): void {
    const from = this.#wanted.workers;
    const to = Math.min(mostWorkers, Math.max(1, 'to' in change ? change.to : from + change.by));
    // Set by hand: a reload that fails does not take it back.
    if (this.#attempt) this.#attempt.workersBefore = undefined;
    this.#wanted = { ...this.#wanted, workers: to };
    this.#parts.logger.info('scale', { from, workers: to });
    this.#parts.emit('scale', { from, to });
  }

  end(ending: 'graceful' | 'now'): void {
    if (this.#wanted.ending !== 'now') this.#wanted = { ...this.#wanted, ending };
  }

  #forgetUnwanted(): void {
    const { serving, candidate } = this.#wanted;
    for (const number of this.#generations.keys()) {
      if (number !== serving && number !== candidate) this.#generations.delete(number);
    }
  }
}
