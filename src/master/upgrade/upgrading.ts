/**
 * An upgrade of the master: another one is started from the same command line on the same sockets, and when it serves this one gives
 * its connections over and ends. Until this one has ended it can take everything back, since it holds its sockets for so long.
 *
 * Decides what the news of the new master mean; the supervisor does it.
 */
import { EvyError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import { formatDuration } from '../../shared/options/units.ts';
import type { Deferred } from '../outcomes/queue.ts';
import type { Command } from '../loop/commands.ts';
import type { Emit } from '../outcomes/events.ts';
import type { UpgradeResult } from '../outcomes/results.ts';
import { nextUpgradePhase } from './upgrade-phases.ts';
import type { UpgradePhase } from './upgrade-phases.ts';
import type { Successor, SuccessorNews } from './next-master.ts';

export interface UpgradingParts {
  readonly logger: Logger;
  readonly emit: Emit;
  readonly push: (command: Command) => void;
  /** Starts the new master. @throws {EvyError} when that is not possible */
  readonly launch: (report: (successor: Successor, news: SuccessorNews) => void) => Successor;
  /** it serves on these sockets: the workers here are to leave */
  readonly handOver: (successor: Successor, keys: readonly string[], moving: boolean) => void;
  /** it does not serve (any more): this master is to serve, and to say so */
  readonly takeBack: (successor: Successor) => void;
  /** its process has ended: nothing can move there any more */
  readonly gone: (successor: Successor) => void;
  /** what a new master may take, and what it is given to end when it is not wanted any more */
  readonly times: () => { readonly bootTimeoutMs: number; readonly graceMs: number };
}

/** Node's own start and a configuration file that is a program, beside the boot of a worker. */
const startMs = 30_000;
/** A master that was told to end has this long beside the grace of its workers. */
const lastWordsMs = 2_000;

interface Attempt {
  readonly startedAtMs: number;
  readonly successor: Successor;
  readonly answers: Array<Deferred<UpgradeResult>>;
  phase: UpgradePhase;
  deadline: NodeJS.Timeout | undefined;
  reloads: Array<Extract<Command, { type: 'reload' }>>;
  result?: UpgradeResult;
}

export class Upgrading {
  readonly #parts: UpgradingParts;
  #attempt: Attempt | undefined;

  constructor(parts: UpgradingParts) {
    this.#parts = parts;
  }

  /** A new master boots, or has taken over. */
  get isUnderWay(): boolean {
    return this.#attempt !== undefined;
  }
  /** A new master boots. */
  get isStarting(): boolean {
    return this.#attempt?.phase === 'starting';
  }

  /** Asked for again while it is under way, it is the same one. */
  begin(answer: Deferred<UpgradeResult> | undefined): void {
    if (this.#attempt !== undefined) {
      const { result, answers } = this.#attempt;
      if (answer !== undefined && result !== undefined) answer.resolve(result);
      else if (answer !== undefined) answers.push(answer);
      else this.#parts.logger.warn('signal.ignored', { signal: 'SIGUSR2', message: 'an upgrade is under way' });
      return;
    }
    const { logger, emit, push, launch, times } = this.#parts;
    const answers = answer === undefined ? [] : [answer];
    let successor: Successor;
    try {
      successor = launch((from, news) => push({ type: 'successor', successor: from, news }));
    } catch (thrown) {
      this.#tellFailure(answers, thrown as Error);
      return;
    }
    const withinMs = times().bootTimeoutMs + startMs;
    // After a look at the channel: this process may have been stopped meanwhile.
    const expire = () => setImmediate(() => push({ type: 'successor', successor, news: { type: 'deadline' } }));
    const deadline = setTimeout(expire, withinMs);
    this.#attempt = { startedAtMs: performance.now(), successor, answers, phase: 'starting', deadline, reloads: [] };
    logger.info('upgrade.started', { successor: successor.pid });
    emit('upgrade:started', { pid: successor.pid });
  }

  /** It does not come to an attempt. */
  refuse(answer: Deferred<UpgradeResult> | undefined, reason: string): void {
    this.#tellFailure(answer === undefined ? [] : [answer], new EvyError('UPGRADE_FAILED', reason));
  }

  /** A reload is for whoever serves in the end. */
  hold(reload: Extract<Command, { type: 'reload' }>): void {
    this.#attempt?.reloads.push(reload);
  }

  take(successor: Successor, news: SuccessorNews): void {
    if (news.type === 'gone') this.#parts.gone(successor);
    const attempt = this.#attempt;
    if (attempt?.successor !== successor) return; // one that was given up
    switch (news.type) {
      case 'ready':
        if (attempt.phase === 'starting') this.#ready(attempt, news);
        break;
      case 'leaving':
        if (attempt.phase === 'handing-over') attempt.phase = nextUpgradePhase(attempt.phase, 'leave');
        else if (attempt.phase === 'starting') this.#fail('the new master was stopped');
        break;
      case 'failed':
        if (attempt.phase === 'starting') this.#fail(`${news.message} (${news.code})`);
        break;
      case 'deadline':
        if (attempt.phase === 'starting') {
          const within = formatDuration(this.#parts.times().bootTimeoutMs + startMs);
          this.#fail(
            `the new master did not serve within ${within} (option bootTimeout and ${formatDuration(startMs)})`,
          );
        }
        break;
      case 'gone':
        if (attempt.phase !== 'leaving') this.#fail(`the new master ended: ${news.how}`);
        break;
      default:
        news satisfies never;
    }
  }

  /** This master is told to stop: one that boots goes with it. */
  abandon(signal: 'SIGTERM' | 'SIGQUIT'): void {
    const attempt = this.#attempt;
    if (attempt?.phase === 'starting') this.#fail('the master was stopped before', signal);
  }

  #ready(attempt: Attempt, { keys, moving }: Extract<SuccessorNews, { type: 'ready' }>): void {
    const { logger, emit, handOver } = this.#parts;
    attempt.phase = nextUpgradePhase(attempt.phase, 'ready');
    clearTimeout(attempt.deadline);
    const { successor, startedAtMs, reloads } = attempt;
    const result = { pid: successor.pid!, durationMs: Math.round(performance.now() - startedAtMs) };
    attempt.result = result;
    logger.info('upgrade.ready', { successor: result.pid, durationMs: result.durationMs });
    successor.tell({ type: 'take-over' });
    if (reloads.length > 0) successor.tell({ type: 'reload' });
    const passedOn = new EvyError(
      'RELOAD_SUPERSEDED',
      `the new master (process ${result.pid}) has been told to reload`,
    );
    for (const { answer } of reloads.splice(0)) answer?.reject(passedOn);
    for (const answer of attempt.answers.splice(0)) answer.resolve(result);
    emit('upgrade:done', result);
    handOver(successor, keys, moving);
  }

  #fail(reason: string, signal: 'SIGTERM' | 'SIGQUIT' = 'SIGTERM'): void {
    const attempt = this.#attempt!;
    const { push, takeBack, times } = this.#parts;
    this.#attempt = undefined;
    attempt.phase = nextUpgradePhase(attempt.phase, 'fail');
    clearTimeout(attempt.deadline);
    attempt.successor.undo(signal, times().graceMs + lastWordsMs);
    this.#tellFailure(attempt.answers, new EvyError('UPGRADE_FAILED', reason));
    takeBack(attempt.successor);
    for (const reload of attempt.reloads) push(reload);
  }

  #tellFailure(answers: ReadonlyArray<Deferred<UpgradeResult>>, cause: Error): void {
    const { logger, emit } = this.#parts;
    const error = cause instanceof EvyError ? cause : new EvyError('UPGRADE_FAILED', cause.message, { cause });
    logger.error('upgrade.failed', { code: error.code, message: error.message });
    for (const answer of answers) answer.reject(error);
    emit('upgrade:failed', { error });
  }
}
