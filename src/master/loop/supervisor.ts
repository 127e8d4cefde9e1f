/**
 * The loop of the master. It handles one command at a time, changes what is wanted, and then lets reconcile say what that means
 * for the workers seen. Nothing here waits: what takes time (reading a configuration, the boot of a worker) comes back as a
 * command of its own.
 */
import { EvyError, toError } from '../../shared/errors.ts';
import type { MasterState } from '../control/status.ts';
import type { Generation, Preparation } from '../generations/generation.ts';
import { Plan } from '../generations/plan.ts';
import type { Wanted } from '../generations/plan.ts';
import { LoadScaling } from '../load/load-scaling.ts';
import { Quarantines } from '../load/quarantine.ts';
import { Quotas } from '../load/quotas.ts';
import { Scalings } from '../load/scaling.ts';
import type { Moves } from '../migration/moves.ts';
import { Operations } from '../outcomes/operations.ts';
import { deferred } from '../outcomes/queue.ts';
import type { StopResult } from '../outcomes/results.ts';
import { Stopping } from '../outcomes/stopping.ts';
import { Reloading } from '../reload/reloading.ts';
import type { ReloadStatus } from '../reload/reloading.ts';
import { ConnectionDispatcher, roomWithin } from '../sockets/accept-for-workers.ts';
import { startNextMaster } from '../upgrade/next-master.ts';
import { Upgrading } from '../upgrade/upgrading.ts';
import { Crew } from '../workers/crew.ts';
import type { CrewParts } from '../workers/crew.ts';
import { LostRequests } from '../workers/lost-requests.ts';
import { isLive } from '../workers/worker-states.ts';
import type { WorkerHandle } from '../workers/worker.ts';
import { Reconciler } from './carry-out.ts';
import type { Command } from './commands.ts';
import { ProgressReport, progressOf } from './progress.ts';
import { StartWatch } from './start.ts';
import { WorkerNewsHandler } from './worker-news.ts';

export interface SupervisorParts extends Omit<CrewParts, 'report'> {
  readonly first: Generation;
  /** how many workers to start with, where that differs from the configuration */
  readonly workers?: number | undefined;
  /** the working directory of a next master */
  readonly directory: string;
  readonly push: (command: Command) => void;
  /** reads the configuration and finds the application again */
  readonly prepare: (number: number) => Promise<Preparation>;
  /** stops listening, so that new connections are refused */
  readonly refuse: () => void;
  /** records this process as the master again, after another master (of this pid) may have recorded itself */
  readonly reclaim: (from: number | undefined) => void;
  /** the last worker has exited; another master serves the sockets of these keys */
  readonly finish: (result: StopResult, passedOn: ReadonlySet<string>) => void;
}

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #plan: Plan;
  readonly #crew: Crew;
  readonly #dispatcher: ConnectionDispatcher;
  readonly #reloading: Reloading;
  readonly #scalings: Scalings;
  readonly #load: LoadScaling;
  readonly #stopping: Stopping;
  readonly #progress: ProgressReport;
  readonly #reconciler: Reconciler;
  readonly #workerNews: WorkerNewsHandler;
  readonly #upgrading: Upgrading;
  readonly #whole = deferred<void>();
  /** until the first generation serves */
  #start: StartWatch | undefined;
  #wakeTimer: NodeJS.Timeout | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const { first, listeners, logger, emit, push } = parts;
    const operations = new Operations();
    const plan = (this.#plan = new Plan(first, parts.workers));
    const crew = (this.#crew = new Crew({
      ...parts,
      report: (worker, news) => push({ type: 'worker', worker, news }),
    }));
    const prepare = (number: number) =>
      void parts.prepare(number).then((outcome) => push({ type: 'prepared', number, outcome }));
    const reloading = (this.#reloading = new Reloading({ plan, operations, logger, emit, prepare }));
    const options = () => plan.generation(reloading.settingGeneration).options;
    const room = () => roomWithin(options().maxConnections, crew.workers);
    const dispatcher = (this.#dispatcher = new ConnectionDispatcher(listeners, () => crew.open, room));
    const scalings = (this.#scalings = new Scalings({ operations, logger, emit }));
    const stopping = (this.#stopping = new Stopping(operations));
    const load = (this.#load = new LoadScaling({ ...parts, plan, crew }));
    const reconciler = (this.#reconciler = new Reconciler({ plan, crew, dispatcher, reloading, scalings, stopping }));
    const quarantines = new Quarantines({
      logger,
      generations: () => plan.generationNumbers,
      broadcast: (generation, message) => crew.broadcastTo(generation, message),
    });
    const lostRequests = new LostRequests({
      logger,
      open: () => crew.open,
      noteCrash: (generation, requests) => quarantines.noteCrash(generation, requests),
    });
    this.#workerNews = new WorkerNewsHandler({
      plan,
      crew,
      dispatcher,
      operations,
      reloading,
      scalings,
      load,
      reconciler,
      quotas: new Quotas(options),
      quarantines,
      lostRequests,
      logger,
      start: () => this.#start,
      hopeless: (error) => {
        this.#abandon(error);
        plan.end('now');
      },
    });
    this.#upgrading = new Upgrading({
      ...parts,
      plan,
      crew,
      reloading,
      stopping,
      startNextMaster: (size, report) => startNextMaster({ ...parts, moves: crew.moves, size }, report),
    });
    this.#progress = new ProgressReport(emit);
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
  /** Resolves when all workers that are wanted serve, for the first time. */
  get whole(): Promise<void> {
    return this.#whole.promise;
  }
  get state(): MasterState {
    if (this.wanted.ending !== 'no') return 'stopping';
    if (this.#start) return 'starting';
    if (this.#upgrading.isStarting) return 'upgrading';
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

  handle(command: Command): void {
    try {
      this.#carryOut(command);
      this.#reconcile();
    } catch (thrown) {
      // An internal error must not end the workers; the next command compares wanted and seen again.
      const { message, stack } = toError(thrown);
      this.#parts.logger.error('master.failed', { code: 'INTERNAL', message, stack });
    }
  }

  #carryOut(command: Command): void {
    const { logger } = this.#parts;
    switch (command.type) {
      case 'worker':
        this.#workerNews.handle(command.worker, command.news);
        break;
      case 'reload':
        if (this.#refused(command.answer)) break;
        if (this.#start) this.#start.hold(command);
        else if (this.#upgrading.isStarting) this.#upgrading.hold(command);
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
        this.#upgrading.begin(command.answer, this.#start !== undefined);
        break;
      case 'next-master':
        this.#upgrading.onNews(command);
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
        logger.warn('signal.ignored', { signal: command.signal, message: 'this signal has no effect in this version' });
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
    this.#reconciler.run();
    const { wanted } = this;
    const stopping = wanted.ending !== 'no';
    const under = { reloads: this.#reloading.underWay, scaling: this.#scalings.underWay, stopping };
    this.#progress.tell(progressOf(under, wanted, this.#crew.seen));
    this.#settle();
    clearTimeout(this.#wakeTimer);
    const wakeMs = Math.min(this.#reconciler.nextWakeMs ?? Infinity, this.#load.nextWakeMs ?? Infinity);
    if (wakeMs < Infinity && !stopping)
      this.#wakeTimer = setTimeout(() => this.#parts.push({ type: 'wake' }), wakeMs + 1);
  }

  /** Answers the operations that are complete. */
  #settle(): void {
    const { workers, ending } = this.wanted;
    if (ending !== 'no') {
      if (this.#crew.workers.length > 0) return;
      this.#dispatcher.close();
      this.#crew.moves.close();
      this.#workerNews.close();
      this.#parts.finish(this.#stopping.result, this.#upgrading.passedOn);
      this.#start?.end();
      return;
    }
    if (this.#start?.isDone(this.#crew.workers)) {
      const heldReloads = this.#start.succeed();
      this.#start = undefined;
      for (const command of heldReloads) this.#parts.push(command);
    }
    const live = this.#crew.workers.filter(({ state }) => isLive(state));
    if (live.length !== workers || live.some(({ state }) => state !== 'ready')) return;
    this.#scalings.complete();
    this.#whole.resolve();
  }

  #stop(ending: 'graceful' | 'now', graceMs?: number): void {
    if (this.wanted.ending === 'no') {
      this.#reloading.giveWay('the master was stopped before this reload was done');
      this.#abandon(new EvyError('STOPPING', 'the master was stopped before this was done'));
      this.#parts.logger.info('master.stopping', { graceful: ending === 'graceful' });
      this.#parts.emit('stopping');
      this.#upgrading.abandon(ending === 'graceful' ? 'SIGTERM' : 'SIGQUIT');
      this.#stopping.begin(
        'close',
        graceMs,
        this.#crew.workers.map(({ id }) => id),
      );
      // New clients are refused from now on rather than left waiting. The drain messages are sent before that.
      queueMicrotask(() => this.#parts.refuse());
    } else this.#stopping.hurry(graceMs);
    this.#plan.end(ending);
    for (const worker of this.#crew.workers) worker.hasten(this.#reconciler.drainOf(worker));
  }

  /** The start and the waiting scalings fail, since no more workers will start. */
  #abandon(error: Error): void {
    this.#start?.abandon(error);
    this.#scalings.abandon(error);
  }
}
