/**
 * Runs reloads, one at a time: preparing, canary, rolling, baking. Each step changes what is wanted (plan.ts) and
 * reports it.
 *
 * A reload is live once the new generation serves alone, and done once the last old worker has exited. Until the reload
 * is accepted (immediately, or at the end of its bake time) it can be rolled back to the old generation. A later reload
 * or a stop supersedes a reload that is not live yet, and accepts one that is baking.
 */
import { EvyError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { WorkerStats } from '../../shared/protocol/messages.ts';
import { userStackOf } from '../../shared/user-error.ts';
import type { Preparation } from '../generations/generation.ts';
import type { Plan } from '../generations/plan.ts';
import type { Emit } from '../outcomes/events.ts';
import type { Operation, Operations } from '../outcomes/operations.ts';
import type { Deferred } from '../outcomes/queue.ts';
import { nextReloadPhase } from '../outcomes/reload-phases.ts';
import type { ReloadInput, ReloadPhase } from '../outcomes/reload-phases.ts';
import { ReloadError } from '../outcomes/results.ts';
import type { ReloadResult } from '../outcomes/results.ts';
import { BakeWatch } from './bake.ts';

export interface ReloadCommand {
  readonly type: 'reload';
  readonly answer?: Deferred<ReloadResult> | undefined;
}

export interface ReloadingParts {
  readonly plan: Plan;
  readonly operations: Operations;
  readonly logger: Logger;
  readonly emit: Emit;
  /** reads the configuration and finds the application again; the result is passed to `prepared()` */
  readonly prepare: (number: number) => void;
}

/** The result of the last reload, or the state of the current one. */
export interface ReloadStatus {
  readonly generation: number;
  readonly phase: ReloadPhase;
  readonly reason?: string;
}

interface Leaver {
  readonly id: number;
  readonly generation: { readonly number: number };
}

/** A reload in progress: its answer, and what must be restored if it is undone. */
class ReloadAttempt {
  /** the generation that it brings in */
  readonly number: number;
  readonly operation: Operation;
  /** the number of workers before, when this reload changed it */
  workersBefore: number | undefined;
  /** present from the first ready worker on, when there is a bake time */
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

  /** the result so far */
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
          `${about} was rolled back, the old one serves again: ${cause.message}`,
          result,
          cause,
        )
      : new ReloadError('RELOAD_FAILED', `${about} failed, the old one serves on: ${cause.message}`, result, cause);
  }
}

export class Reloading {
  readonly #parts: ReloadingParts;
  #attempt: ReloadAttempt | undefined;
  /** a reload that was accepted; its last old workers are being retired */
  #accepted: ReloadAttempt | undefined;
  #status: ReloadStatus | undefined;
  #lastNumber: number;

  constructor(parts: ReloadingParts) {
    this.#parts = parts;
    this.#lastNumber = parts.plan.wanted.serving;
  }

  /** the phase of the current reload */
  get phase(): ReloadPhase | undefined {
    return this.#attempt?.phase;
  }
  get status(): ReloadStatus | undefined {
    const attempt = this.#attempt;
    return attempt === undefined ? this.#status : { generation: attempt.number, phase: attempt.phase };
  }
  /** The generation whose settings apply to current operations. */
  get settingGeneration(): number {
    return this.#attempt?.isRolling === true ? this.#attempt.number : this.#parts.plan.wanted.serving;
  }
  /** The unfinished reloads, each with the number of retired workers that have not exited. */
  get underWay(): Array<{ generation: number; phase: ReloadPhase; leaving: number }> {
    return [this.#attempt, this.#accepted].flatMap((attempt) =>
      attempt === undefined
        ? []
        : [{ generation: attempt.number, phase: attempt.phase, leaving: attempt.operation.leaving }],
    );
  }

  begin(answer: Deferred<ReloadResult> | undefined): void {
    this.giveWay('a later reload came before this one was done');
    this.#lastNumber += 1;
    const generation = this.#lastNumber;
    this.#attempt = new ReloadAttempt(generation, this.#parts.operations.begin(), answer);
    this.#parts.logger.info('reload.started', { generation });
    this.#parts.emit('reload:started', { generation });
    this.#parts.prepare(generation);
  }

  prepared(number: number, outcome: Preparation): void {
    if (this.#attempt?.number !== number) return; // superseded meanwhile
    if ('error' in outcome) {
      this.fail(outcome.error);
      return;
    }
    for (const option of outcome.ignored) {
      this.#parts.logger.warn('option.ignored', {
        option,
        message: 'a reload cannot change this option; restart evy to apply it',
      });
    }
    this.#attempt.move('prepared');
    this.#parts.plan.propose(outcome.generation);
  }

  /** A worker of the candidate is ready; after the first one the others are started. */
  candidateReady(): void {
    const attempt = this.#attempt;
    if (attempt?.phase !== 'canary') return;
    attempt.move('ready');
    const { options } = this.#parts.plan.generation(attempt.number);
    if (options.bakeMs > 0) attempt.bake = new BakeWatch(options);
    attempt.workersBefore = this.#parts.plan.applyWorkersOf(attempt.number);
  }

  noteStats(worker: number, stats: WorkerStats): void {
    this.#attempt?.bake?.noteStats(worker, stats);
  }
  noteCrash(): void {
    this.#attempt?.bake?.noteCrash();
  }
  /** A number of workers that was set by hand stays when the reload fails. */
  keepWorkers(): void {
    if (this.#attempt) this.#attempt.workersBefore = undefined;
  }

  /** An old worker was put on standby. */
  noteReplaced(worker: Leaver): void {
    if (this.#attempt?.isRolling === true) this.#attempt.noteReplaced(worker.id);
  }

  /** Records that a worker was retired. Returns whether a reload was the reason. */
  noteRetired({ id, generation }: Leaver): boolean {
    const attempt = this.#attempt?.isRolling === true ? this.#attempt : this.#accepted;
    if (attempt?.isRolling !== true || attempt.number === generation.number) return false;
    attempt.noteReplaced(id);
    attempt.operation.sent(id);
    return true;
  }

  /** Moves on when the condition of the current phase is met. Returns whether that changed what is wanted. */
  advance(isRolledOut: boolean, nowMs: number): boolean {
    const attempt = this.#attempt;
    if (attempt?.isRolling !== true) return false;
    if (attempt.phase === 'rolling' && isRolledOut) {
      attempt.move('live');
      attempt.bake?.begin(nowMs);
      const { generation, durationMs, replaced } = attempt.result;
      this.#parts.logger.info('reload.live', { generation, durationMs, replaced });
      this.#parts.emit('reload:live', { generation, durationMs, replaced });
    }
    const { bake } = attempt;
    const verdict =
      bake === undefined ? ({ is: attempt.phase === 'baking' ? 'passed' : 'open' } as const) : bake.verdict(nowMs);
    if (verdict.is === 'passed') this.#accept(attempt);
    if (verdict.is === 'failed') this.fail(new EvyError('RELOAD_ROLLED_BACK', verdict.reason));
    return verdict.is !== 'open';
  }

  /** When to check again; undefined when there is no bake time to end. */
  nextWakeMs(nowMs: number): number | undefined {
    const leftMs = this.#attempt?.bake?.leftMs(nowMs) ?? Infinity;
    return Number.isFinite(leftMs) ? leftMs : undefined;
  }

  /** The accepted reload will retire no more workers. */
  settle(): void {
    const attempt = this.#accepted;
    if (attempt === undefined || attempt.phase === 'draining') return;
    attempt.move('accept');
    this.#parts.operations.conclude(attempt.operation, () => this.#done(attempt));
  }

  /** Another operation takes precedence: the current reload is accepted if it is live, and undone otherwise. */
  giveWay(message: string): void {
    if (this.#attempt?.phase === 'baking') this.#accept(this.#attempt);
    else this.fail(new EvyError('RELOAD_SUPERSEDED', message));
  }

  /** Fails the current reload, if any: the old generation serves again. */
  fail(cause: Error): void {
    const attempt = this.#attempt;
    if (!attempt) return;
    this.#attempt = undefined;
    this.#parts.plan.withdraw(attempt.workersBefore);
    this.#parts.operations.conclude(attempt.operation);
    const generation = attempt.number;
    const code = cause instanceof EvyError ? cause.code : 'INTERNAL';
    // The stack of an EvyError only matters where it shows the application's frames.
    const stack = cause instanceof EvyError ? userStackOf(cause) : cause.stack;
    const error = attempt.fail(cause);
    const isBack = attempt.phase === 'rolled-back';
    this.#status = { generation, phase: attempt.phase, reason: cause.message };
    // A superseded reload is not a failure that an operator has to be called for.
    const level = code === 'RELOAD_SUPERSEDED' ? 'info' : 'error';
    const fields = { generation, code, message: cause.message, stack };
    this.#parts.logger[level](isBack ? 'reload.rolled-back' : 'reload.failed', fields);
    this.#parts.emit('reload:failed', { generation, error });
  }

  #accept(attempt: ReloadAttempt): void {
    this.#attempt = undefined;
    this.#accepted = attempt;
    this.#parts.plan.promote();
  }

  #done(attempt: ReloadAttempt): void {
    if (this.#accepted === attempt) this.#accepted = undefined;
    const result = attempt.succeed();
    this.#status = { generation: attempt.number, phase: attempt.phase };
    this.#parts.logger.info('reload.done', { ...result });
    this.#parts.emit('reload:done', result);
  }
}
