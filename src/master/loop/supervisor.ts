/**
 * The master's loop. It takes one command at a time, changes what is wanted, and then lets reconcile say what that means for
 * the workers seen. Nothing here waits: what takes time (reading a configuration anew, a worker's boot) comes back as
 * a command of its own.
 */
import { EvyError, toError } from '../../shared/errors.ts';
import { assemble } from './assembly.ts';
import type { SupervisorParts } from './assembly.ts';
import { deferred } from '../outcomes/queue.ts';
import type { Command } from './commands.ts';
import type { Crew } from '../workers/crew.ts';
import type { Handover } from '../sockets/accept-for-workers.ts';
import type { LoadScaling } from '../load/load-scaling.ts';
import type { Moves } from '../migration/moves.ts';
import type { NewsDesk } from './worker-news.ts';
import { Pending } from './pending.ts';
import type { Plan } from '../generations/plan.ts';
import { ProgressReport, progressOf } from './progress.ts';
import type { Wanted } from './reconcile.ts';
import type { Reloading, ReloadStatus } from '../reload/reloading.ts';
import type { Scalings } from '../load/scaling.ts';
import { StartWatch } from './start.ts';
import type { MasterState } from '../control/status.ts';
import type { Stopping } from '../outcomes/stopping.ts';
import type { Succession } from '../upgrade/succession.ts';
import type { Upkeep } from './carry-out.ts';
import type { WorkerHandle } from '../workers/worker.ts';
import { isLive } from '../workers/worker-states.ts';

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #plan: Plan;
  readonly #crew: Crew;
  readonly #handover: Handover;
  readonly #reloading: Reloading;
  readonly #scalings: Scalings;
  readonly #load: LoadScaling;
  readonly #stopping: Stopping;
  readonly #progress: ProgressReport;
  readonly #upkeep: Upkeep;
  readonly #desk: NewsDesk;
  readonly #succession: Succession;
  readonly #whole = deferred<void>();
  /** until the first generation is up */
  #start: StartWatch | undefined;
  readonly #pending = new Pending();
  #wakeTimer: NodeJS.Timeout | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const start = () => this.#start;
    const hopeless = (error: Error) => {
      this.#abandon(error);
      this.#plan.end('now');
    };
    const staff = assemble(parts, { start, hopeless });
    this.#plan = staff.plan;
    this.#crew = staff.crew;
    this.#handover = staff.handover;
    this.#reloading = staff.reloading;
    this.#scalings = staff.scalings;
    this.#load = staff.load;
    this.#stopping = staff.stopping;
    this.#upkeep = staff.upkeep;
    this.#desk = staff.desk;
    this.#succession = staff.succession;
    this.#progress = new ProgressReport(parts.emit);
  }

  get wanted(): Wanted {
    return this.#plan.wanted;
  }
  get workers(): readonly WorkerHandle[] {
    return this.#crew.workers;
  }
  get served(): Crew['served'] {
    return this.#crew.served;
  }
  get reload(): ReloadStatus | undefined {
    return this.#reloading.status;
  }
  get moves(): Moves {
    return this.#crew.moves;
  }
  /** Resolves when all that are wanted serve, for the first time. */
  get whole(): Promise<void> {
    return this.#whole.promise;
  }
  get state(): MasterState {
    if (this.wanted.ending !== 'no') return 'stopping';
    if (this.#start) return 'starting';
    if (this.#succession.upgrading.isStarting) return 'upgrading';
    const { phase } = this.#reloading;
    if (phase === undefined) return 'serving';
    return phase === 'baking' ? 'baking' : 'reloading';
  }

  /** Resolves once the first generation is up; rejects when none of it can boot, after everything has ended. */
  start(): Promise<void> {
    const answer = deferred<void>();
    this.#start = new StartWatch(this.wanted.workers, answer);
    this.#reconcile();
    return answer.promise;
  }

  take(command: Command): void {
    try {
      this.#take(command);
      this.#reconcile();
    } catch (thrown) {
      // A fault of ours must not take the workers down; the next command compares wanted and seen anew.
      const { message, stack } = toError(thrown);
      this.#parts.logger.error('master.failed', { code: 'INTERNAL', message, stack });
    }
  }

  #take(command: Command): void {
    const { logger } = this.#parts;
    switch (command.type) {
      case 'worker':
        this.#desk.take(command.worker, command.news);
        break;
      case 'reload':
        if (this.#refused(command.answer)) break;
        if (this.#start) this.#pending.reload(command);
        else if (this.#succession.upgrading.isStarting) this.#succession.upgrading.hold(command);
        else this.#reloading.begin(command.answer);
        break;
      case 'prepared':
        this.#reloading.prepared(command.number, command.outcome);
        break;
      case 'scale':
        if (this.#refused(command.answer)) break;
        this.#reloading.keepWorkers();
        this.#load.noteChange();
        this.#scalings.begin(this.#plan.scale(command.change), command.answer);
        break;
      case 'upgrade':
      case 'successor':
        this.#succession.take(command, this.#start !== undefined);
        break;
      case 'stop':
        this.#stop('graceful', command.graceMs);
        break;
      case 'stop-now':
        this.#stop('now');
        break;
      case 'interrupt':
        this.#stop(this.wanted.ending === 'no' ? 'graceful' : 'now');
        break;
      case 'reopen-logs':
        logger.reopen();
        this.#crew.broadcast({ type: 'reopen-logs' });
        logger.info('logs.reopened');
        break;
      case 'unsupported':
        logger.warn('signal.ignored', { signal: command.signal, message: 'it comes with a later version' });
        break;
      case 'wake':
        break; // only to reconcile
      default:
        command satisfies never;
    }
  }

  #refused(answer: { reject(error: Error): void } | undefined): boolean {
    if (this.wanted.ending === 'no') return false;
    answer?.reject(new EvyError('STOPPING', 'the master is stopping'));
    return true;
  }

  #reconcile(): void {
    const change = this.#start ? undefined : this.#load.next();
    if (change) this.#scalings.begin({ ...this.#plan.scale(change), utilisation: change.utilisation });
    this.#upkeep.run();
    const { wanted } = this;
    const stopping = wanted.ending !== 'no';
    const under = { reloads: this.#reloading.underWay, scaling: this.#scalings.underWay, stopping };
    this.#progress.tell(progressOf(under, wanted, this.#crew.seen));
    this.#settle();
    clearTimeout(this.#wakeTimer);
    const wakeMs = Math.min(this.#upkeep.nextWakeMs ?? Infinity, this.#load.nextWakeMs ?? Infinity);
    if (wakeMs < Infinity && !stopping)
      this.#wakeTimer = setTimeout(() => this.#parts.push({ type: 'wake' }), wakeMs + 1);
  }

  /** Answers what has come true. */
  #settle(): void {
    const { workers, ending } = this.wanted;
    if (ending !== 'no') {
      if (this.#crew.workers.length > 0) return;
      this.#handover.close();
      this.#crew.close();
      this.#desk.close();
      this.#parts.finish(this.#stopping.result, this.#succession.passedOn);
      this.#start?.end();
      return;
    }
    if (this.#start?.isDone(this.#crew.workers)) {
      this.#start = undefined;
      for (const command of this.#pending.takeReloads()) this.#parts.push(command);
    }
    const live = this.#crew.workers.filter(({ state }) => isLive(state));
    if (live.length !== workers || live.some(({ state }) => state !== 'ready')) return;
    this.#scalings.complete();
    this.#whole.resolve();
  }

  #stop(ending: 'graceful' | 'now', graceMs?: number): void {
    if (this.wanted.ending === 'no') {
      this.#reloading.giveWay('the master was stopped before this reload was done');
      this.#abandon(new EvyError('STOPPING', 'the master was stopped before'));
      this.#parts.logger.info('master.stopping', { graceful: ending === 'graceful' });
      this.#parts.emit('stopping');
      this.#succession.upgrading.abandon(ending === 'graceful' ? 'SIGTERM' : 'SIGQUIT');
      this.#stopping.begin(
        'close',
        graceMs,
        this.#crew.workers.map(({ id }) => id),
      );
      // Whoever connects from now on is to be refused rather than to wait for nobody. The drain goes out first.
      queueMicrotask(() => this.#parts.refuse());
    } else this.#stopping.hurry(graceMs);
    this.#plan.end(ending);
    for (const worker of this.#crew.workers) worker.hasten(this.#upkeep.drainOf(worker));
  }

  /** Whoever waits for something that will not come is told. */
  #abandon(error: Error): void {
    this.#start?.noteFailure(error);
    this.#pending.abandon(error);
    this.#scalings.abandon(error);
  }
}
