/**
 * The master's loop. It takes one command at a time, changes what is wanted, and then lets reconcile say what that means for
 * the workers seen. Nothing here waits: what takes time (reading a configuration anew, a worker's boot) comes back as
 * a command of its own.
 */
import { EvyError, toError } from '../shared/errors.ts';
import { deferred } from './command-queue.ts';
import type { Command, Preparation } from './commands.ts';
import { Crew } from './crew.ts';
import type { CrewParts } from './crew.ts';
import type { Generation } from './generation.ts';
import { Handover } from './handover.ts';
import { Pending } from './pending.ts';
import { Plan } from './plan.ts';
import { isRolledOut, reconcile } from './reconcile.ts';
import type { Wanted } from './reconcile.ts';
import { StartWatch } from './start-watch.ts';
import type { MasterState } from './status.ts';
import { deathError } from './worker-death.ts';
import type { Drain, WorkerHandle, WorkerNews } from './worker-handle.ts';
import type { WorkerEnd } from './worker-process.ts';
import { isLive } from './worker-states.ts';

export interface SupervisorParts extends Omit<CrewParts, 'report'> {
  readonly first: Generation;
  readonly push: (command: Command) => void;
  /** reads the configuration and looks for the application anew */
  readonly prepare: (number: number) => Promise<Preparation>;
  /** the last worker is gone */
  readonly finish: () => void;
}

export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #plan: Plan;
  readonly #crew: Crew;
  readonly #handover: Handover;
  /** until the first generation is up */
  #start: StartWatch | undefined;
  readonly #pending = new Pending();
  #stopGraceMs: number | undefined;
  #wakeTimer: NodeJS.Timeout | undefined;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
    const { first, listeners, logger, emit, push } = parts;
    const prepare = (number: number) =>
      void parts.prepare(number).then((outcome) => push({ type: 'prepared', number, outcome }));
    this.#plan = new Plan({ first, logger, emit, prepare });
    const report = (worker: WorkerHandle, news: WorkerNews) => push({ type: 'worker', worker, news });
    this.#crew = new Crew({ ...parts, report });
    this.#handover = new Handover(listeners, () => this.#crew.open);
  }

  get wanted(): Wanted {
    return this.#plan.wanted;
  }
  get workers(): readonly WorkerHandle[] {
    return this.#crew.workers;
  }
  get state(): MasterState {
    if (this.wanted.ending !== 'no') return 'stopping';
    if (this.#start) return 'starting';
    return this.#plan.reloading ? 'reloading' : 'serving';
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
        this.#takeNews(command.worker, command.news);
        break;
      case 'reload':
        if (this.#refused(command.answer)) break;
        if (this.#start) this.#pending.reload(command);
        else this.#plan.beginReload(command.answer);
        break;
      case 'prepared':
        this.#plan.prepared(command.number, command.outcome);
        break;
      case 'scale':
        if (this.#refused(command.answer)) break;
        this.#plan.scale(command.change);
        this.#pending.scaling(command.answer);
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
    this.#crew.keepDebtsOf(this.#plan.generationNumbers);
    const { serving, candidate, ending } = this.wanted;
    const held = { serving: this.#crew.held(serving), candidate: this.#crew.held(candidate) };
    for (const command of reconcile(this.wanted, this.#crew.seen, held)) {
      if (command.do === 'spawn') this.#crew.spawn(this.#plan.generation(command.generation));
      else if (command.do === 'kill') this.#crew.find(command.worker).kill('stopped');
      else this.#retire(this.#crew.find(command.worker));
    }
    if (isRolledOut(this.wanted, this.#crew.seen)) this.#plan.finishReload();
    this.#settle();
    clearTimeout(this.#wakeTimer);
    const wakeMs = ending === 'no' ? this.#crew.nextWakeMs : undefined;
    if (wakeMs !== undefined) this.#wakeTimer = setTimeout(() => this.#parts.push({ type: 'wake' }), wakeMs + 1);
  }

  #retire(worker: WorkerHandle, reason?: string): void {
    this.#plan.noteRetired(worker.generation.number);
    this.#crew.retire(worker, this.#drainOf(worker), reason);
  }

  #drainOf(worker: WorkerHandle): Drain {
    const graceMs = this.#stopGraceMs ?? this.#plan.current.options.graceMs;
    // A server that stops has nobody to send idle clients to.
    return { graceMs, idle: this.wanted.ending === 'no' ? this.#crew.idleOf(worker) : 'close' };
  }

  /** Answers what has come true. */
  #settle(): void {
    const { workers, ending } = this.wanted;
    if (ending !== 'no') {
      if (this.#crew.workers.length > 0) return;
      this.#handover.close();
      this.#crew.close();
      this.#parts.finish();
      this.#start?.end();
      return;
    }
    if (this.#start?.isDone(this.#crew.workers)) {
      this.#start = undefined;
      for (const command of this.#pending.takeReloads()) this.#parts.push(command);
    }
    const live = this.#crew.workers.filter(({ state }) => isLive(state));
    if (live.length === workers && live.every(({ state }) => state === 'ready')) this.#pending.scaled();
  }

  #takeNews(worker: WorkerHandle, news: WorkerNews): void {
    // Of a start or a reload only the outcome is told, once.
    const quiet = this.#start?.anyReady === false || worker.generation.number !== this.wanted.serving;
    this.#crew.take(worker, news, { quiet });
    switch (news.type) {
      case 'ready':
        if (worker.state === 'ready') this.#workerReady(worker);
        break;
      case 'leaving':
      case 'lost':
        if (isLive(worker.state)) this.#retire(worker, news.type === 'lost' ? 'it closed its channel' : 'SIGTERM');
        break;
      case 'exit':
        this.#handover.gone(worker);
        this.#workerGone(worker, news);
        break;
      default: // nothing to decide
    }
  }

  #workerReady(worker: WorkerHandle): void {
    this.#handover.flush();
    const { number } = worker.generation;
    if (this.#start?.noteReady(this.#parts.logger)) this.#crew.release(number);
    if (number === this.wanted.candidate) this.#plan.candidateReady();
  }

  #workerGone(worker: WorkerHandle, end: WorkerEnd): void {
    const { serving, candidate, ending } = this.wanted;
    const { endReason, generation, readyForMs } = worker;
    if (ending !== 'no' || endReason === 'retired' || endReason === 'stopped') return;
    const error = deathError(worker, end);
    if (generation.number === candidate) {
      // One that served already gets a second try: it may have been killed from outside.
      const streak = this.#crew.noteDeath(worker, { hold: false });
      if (readyForMs === undefined || streak > 1) this.#plan.failReload(error);
    } else if (generation.number === serving) {
      this.#crew.noteDeath(worker, { hold: this.#start?.anyReady === false });
      this.#start?.noteFailure(error);
      if (!this.#start?.isHopeless(this.#crew.workers)) return;
      this.#abandon(error);
      this.#plan.end('now');
    }
  }

  #stop(ending: 'graceful' | 'now', graceMs?: number): void {
    if (this.wanted.ending === 'no') {
      this.#plan.failReload(new EvyError('RELOAD_SUPERSEDED', 'the master was stopped before this reload was done'));
      this.#abandon(new EvyError('STOPPING', 'the master was stopped before'));
      this.#parts.logger.info('master.stopping', { graceful: ending === 'graceful' });
      this.#parts.emit('stopping');
      this.#stopGraceMs = graceMs;
      // Whoever connects from now on is to be refused rather than to wait for nobody. The drain goes out first.
      queueMicrotask(() => this.#parts.listeners.forEach((listener) => listener.close()));
    }
    this.#plan.end(ending);
    for (const worker of this.#crew.workers) worker.hasten(this.#drainOf(worker));
  }

  /** Whoever waits for something that will not come is told. */
  #abandon(error: Error): void {
    this.#start?.noteFailure(error);
    this.#pending.abandon(error);
  }
}
