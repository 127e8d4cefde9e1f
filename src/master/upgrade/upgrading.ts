/**
 * An upgrade of the master, on the side of the old one. The next master is started from the same command line on the
 * same sockets; when it serves, this master moves its connections there and exits.
 *
 * Handing over is a stop with two differences: idle connections move to the next master, and the sockets stay open here
 * until the end. So this master can serve again if the next one fails before this one has exited.
 */
import { EvyError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import { formatDuration } from '../../shared/options/units.ts';
import type { Plan } from '../generations/plan.ts';
import type { Moves } from '../migration/moves.ts';
import type { Emit } from '../outcomes/events.ts';
import type { Deferred } from '../outcomes/queue.ts';
import type { UpgradeResult } from '../outcomes/results.ts';
import type { Stopping } from '../outcomes/stopping.ts';
import type { ReloadCommand, Reloading } from '../reload/reloading.ts';
import type { CrewSize } from '../sockets/inherited-state.ts';
import type { NextMaster, NextMasterNews } from './next-master.ts';
import { nextUpgradePhase } from './upgrade-phases.ts';
import type { UpgradePhase } from './upgrade-phases.ts';

export interface NextMasterCommand {
  readonly type: 'next-master';
  readonly nextMaster: NextMaster;
  readonly news: NextMasterNews;
}

export interface UpgradingParts {
  readonly plan: Pick<Plan, 'wanted' | 'range' | 'generation' | 'end' | 'resume'>;
  readonly crew: {
    readonly workers: ReadonlyArray<{ readonly id: number }>;
    readonly moves: Pick<Moves, 'openTo' | 'closeTo'>;
  };
  readonly reloading: Pick<Reloading, 'giveWay'>;
  readonly stopping: Pick<Stopping, 'begin' | 'cancel' | 'closesIdle'>;
  readonly logger: Logger;
  readonly emit: Emit;
  readonly push: (command: ReloadCommand | NextMasterCommand) => void;
  /** Starts the next master. @throws {EvyError} when that is not possible */
  readonly startNextMaster: (
    size: CrewSize,
    report: (nextMaster: NextMaster, news: NextMasterNews) => void,
  ) => NextMaster;
  /** records this process as the master again, after the next one (of this pid) may have recorded itself */
  readonly reclaim: (from: number | undefined) => void;
}

/** Time for Node to start, and for a configuration file that is a program, in addition to the boot of a worker. */
const startMs = 30_000;
/** A master that was told to end has this long in addition to the grace time of its workers. */
const lastWordsMs = 2_000;

interface Attempt {
  readonly startedAtMs: number;
  readonly nextMaster: NextMaster;
  readonly answers: Array<Deferred<UpgradeResult>>;
  readonly deadline: NodeJS.Timeout;
  /** reloads requested during the upgrade, for the master that serves in the end */
  readonly heldReloads: ReloadCommand[];
  phase: UpgradePhase;
  result?: UpgradeResult;
}

export class Upgrading {
  readonly #parts: UpgradingParts;
  #attempt: Attempt | undefined;
  #passedOn: ReadonlySet<string> = new Set();

  constructor(parts: UpgradingParts) {
    this.#parts = parts;
  }

  /** Whether a next master boots. */
  get isStarting(): boolean {
    return this.#attempt?.phase === 'starting';
  }
  /** keys of the sockets that the next master serves */
  get passedOn(): ReadonlySet<string> {
    return this.#passedOn;
  }

  /** Starts an upgrade, or joins the one in progress. `isMasterStarting`: this master does not serve yet. */
  begin(answer: Deferred<UpgradeResult> | undefined, isMasterStarting: boolean): void {
    if (this.#attempt !== undefined) {
      const { result, answers } = this.#attempt;
      if (answer !== undefined && result !== undefined) answer.resolve(result);
      else if (answer !== undefined) answers.push(answer);
      else this.#parts.logger.warn('signal.ignored', { signal: 'SIGUSR2', message: 'an upgrade is under way' });
      return;
    }
    const { plan, reloading, logger, emit, push, startNextMaster } = this.#parts;
    const answers = answer === undefined ? [] : [answer];
    const refusal = isMasterStarting ? 'still starting' : plan.wanted.ending === 'no' ? undefined : 'stopping';
    if (refusal !== undefined) {
      this.#reportFailure(answers, new EvyError('UPGRADE_FAILED', `the master is ${refusal}`));
      return;
    }
    reloading.giveWay('an upgrade of the master was asked for before this reload was done');
    let nextMaster: NextMaster;
    try {
      const size = { configured: plan.range, wanted: plan.wanted.workers };
      nextMaster = startNextMaster(size, (from, news) => push({ type: 'next-master', nextMaster: from, news }));
    } catch (thrown) {
      this.#reportFailure(answers, thrown as Error);
      return;
    }
    // Deferred until the channel was read: this process may have been stopped meanwhile.
    const expire = () => setImmediate(() => push({ type: 'next-master', nextMaster, news: { type: 'deadline' } }));
    const deadline = setTimeout(expire, this.#times.bootTimeoutMs + startMs);
    const startedAtMs = performance.now();
    this.#attempt = { startedAtMs, nextMaster, answers, deadline, heldReloads: [], phase: 'starting' };
    logger.info('upgrade.started', { successor: nextMaster.pid });
    emit('upgrade:started', { pid: nextMaster.pid });
  }

  /** Keeps a reload for the master that serves in the end. */
  hold(reload: ReloadCommand): void {
    this.#attempt?.heldReloads.push(reload);
  }

  onNews({ nextMaster, news }: NextMasterCommand): void {
    // Nothing can move to it any more.
    if (news.type === 'gone') this.#parts.crew.moves.closeTo(nextMaster);
    const attempt = this.#attempt;
    if (attempt?.nextMaster !== nextMaster) return; // that attempt has failed before
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
          const within = formatDuration(this.#times.bootTimeoutMs + startMs);
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

  /** This master was told to stop; a next master that is booting stops with it. */
  abandon(signal: 'SIGTERM' | 'SIGQUIT'): void {
    if (this.isStarting) this.#fail('the master was stopped before the upgrade was done', signal);
  }

  /** How long the next master may take to start, and how long it may take to end when it is not needed any more. */
  get #times(): { readonly bootTimeoutMs: number; readonly graceMs: number } {
    const { plan } = this.#parts;
    return plan.generation(plan.wanted.serving).options;
  }

  #ready(attempt: Attempt, { keys, moving }: Extract<NextMasterNews, { type: 'ready' }>): void {
    const { logger, emit } = this.#parts;
    attempt.phase = nextUpgradePhase(attempt.phase, 'ready');
    clearTimeout(attempt.deadline);
    const { nextMaster, startedAtMs, heldReloads } = attempt;
    const result = { pid: nextMaster.pid!, durationMs: Math.round(performance.now() - startedAtMs) };
    attempt.result = result;
    logger.info('upgrade.ready', { successor: result.pid, durationMs: result.durationMs });
    nextMaster.tell({ type: 'take-over' });
    if (heldReloads.length > 0) nextMaster.tell({ type: 'reload' });
    const passedOn = new EvyError(
      'RELOAD_SUPERSEDED',
      `the new master (process ${result.pid}) has been told to reload`,
    );
    for (const { answer } of heldReloads.splice(0)) answer?.reject(passedOn);
    for (const answer of attempt.answers.splice(0)) answer.resolve(result);
    emit('upgrade:done', result);
    this.#handOver(nextMaster, keys, moving);
  }

  /** The next master serves the sockets of these keys: the workers here leave. */
  #handOver(nextMaster: NextMaster, keys: readonly string[], moving: boolean): void {
    const { plan, crew, stopping, emit } = this.#parts;
    this.#passedOn = new Set(keys);
    if (moving) crew.moves.openTo(nextMaster);
    emit('stopping');
    stopping.begin(
      'move',
      undefined,
      crew.workers.map(({ id }) => id),
    );
    plan.end('graceful');
  }

  #fail(reason: string, signal: 'SIGTERM' | 'SIGQUIT' = 'SIGTERM'): void {
    const attempt = this.#attempt!;
    this.#attempt = undefined;
    attempt.phase = nextUpgradePhase(attempt.phase, 'fail');
    clearTimeout(attempt.deadline);
    attempt.nextMaster.end(signal, this.#times.graceMs + lastWordsMs);
    this.#reportFailure(attempt.answers, new EvyError('UPGRADE_FAILED', reason));
    this.#serveAgain(attempt.nextMaster);
    for (const reload of attempt.heldReloads) this.#parts.push(reload);
  }

  /**
   * The next master does not serve (any more), so this one does, and records itself, unless it was told to stop
   * meanwhile.
   */
  #serveAgain(nextMaster: NextMaster): void {
    const { plan, stopping, reclaim } = this.#parts;
    this.#passedOn = new Set();
    if (plan.wanted.ending !== 'no') {
      if (stopping.closesIdle || plan.wanted.ending === 'now') return;
      stopping.cancel();
      plan.resume();
    }
    reclaim(nextMaster.pid);
  }

  #reportFailure(answers: ReadonlyArray<Deferred<UpgradeResult>>, cause: Error): void {
    const { logger, emit } = this.#parts;
    const error = cause instanceof EvyError ? cause : new EvyError('UPGRADE_FAILED', cause.message, { cause });
    logger.error('upgrade.failed', { code: error.code, message: error.message });
    for (const answer of answers) answer.reject(error);
    emit('upgrade:failed', { error });
  }
}
