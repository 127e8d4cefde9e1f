/**
 * Runs reloads, one at a time: preparing, canary, rolling, baking. Each step changes what is wanted (plan.ts) and reports it.
 *
 * A reload is live once the new generation serves alone, and done once the last old worker has gone. Until it is
 * accepted (at once, or when its bake time has passed) the old generation is the one to go back to. A later reload or a
 * stop supersedes one that is not live yet. One that bakes is accepted then, since whoever starts the next reload has seen it serve.
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
  /** reads the configuration and looks for the application again; the outcome comes back to `prepared()` */
  readonly prepare: (number: number) => void;
}

/** How the last reload ended, or how far the one under way is. */
export interface ReloadStatus {
  readonly generation: number;
  readonly phase: ReloadPhase;
  readonly reason?: string;
}

interface Leaver {
  readonly id: number;
  readonly generation: { readonly number: number };
}

/** A reload that is under way: whom it answers, and what has to be restored when it is undone. */
class ReloadAttempt {
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

  /** of the one under way */
  get phase(): ReloadPhase | undefined {
    return this.#attempt?.phase;
  }
  get status(): ReloadStatus | undefined {
    const attempt = this.#attempt;
    return attempt === undefined ? this.#status : { generation: attempt.number, phase: attempt.phase };
  }
  /** The generation whose settings count for what is done now. */
  get settingGeneration(): number {
    return this.#attempt?.isRolling === true ? this.#attempt.number : this.#parts.plan.wanted.serving;
  }
  /** The reloads that are not done, each with the number of retired workers that are still there. */
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

  /** A worker of the candidate is ready: from the first one on the others follow. */
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

  /** An old worker stands by. */
  noteReplaced(worker: Leaver): void {
    if (this.#attempt?.isRolling === true) this.#attempt.noteReplaced(worker.id);
  }

  /** A worker was told to leave. Returns whether that was for a reload. */
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

  /** When to look again; undefined when there is no bake time to end. */
  nextWakeMs(nowMs: number): number | undefined {
    const leftMs = this.#attempt?.bake?.leftMs(nowMs) ?? Infinity;
    return Number.isFinite(leftMs) ? leftMs : undefined;
  }

  /** The reload that was accepted has retired all workers that it will. */
  settle(): void {
    const attempt = this.#accepted;
    if (attempt === undefined || attempt.phase === 'draining') return;
    attempt.move('accept');
    this.#parts.operations.conclude(attempt.operation, () => this.#done(attempt));
  }

  /** Another operation comes first: the reload under way is accepted if it serves, and undone otherwise. */
  giveWay(message: string): void {
    if (this.#attempt?.phase === 'baking') this.#accept(this.#attempt);
    else this.fail(new EvyError('RELOAD_SUPERSEDED', message));
  }

  /** Fails the reload under way, if any: the old generation serves again. */
  fail(cause: Error): void {
    const attempt = this.#attempt;
    if (!attempt) return;
    this.#attempt = undefined;
    this.#parts.plan.withdraw(attempt.workersBefore);
    this.#parts.operations.conclude(attempt.operation);
    const generation = attempt.number;
    const code = cause instanceof EvyError ? cause.code : 'INTERNAL';
    // In the stack of an error of evy's own, only the frames of the application are of use.
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
