/**
 * Handles what a worker reports. This is the only place where the master decides by the type of a report. A report is
 * kept in the worker's record, may change the worker's state, is logged, and counts for a start, a reload or a scaling.
 */
import { toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Plan } from '../generations/plan.ts';
import type { LoadScaling } from '../load/load-scaling.ts';
import type { Quarantines } from '../load/quarantine.ts';
import type { Quotas } from '../load/quotas.ts';
import type { Scalings } from '../load/scaling.ts';
import type { Operations } from '../outcomes/operations.ts';
import type { Reloading } from '../reload/reloading.ts';
import type { ConnectionDispatcher } from '../sockets/accept-for-workers.ts';
import type { Crew } from '../workers/crew.ts';
import { deathError, wasHitEarly } from '../workers/death.ts';
import type { LostRequests } from '../workers/lost-requests.ts';
import type { WorkerEnd } from '../workers/process.ts';
import { isLive, stays } from '../workers/worker-states.ts';
import type { WorkerHandle, WorkerNews } from '../workers/worker.ts';
import type { Reconciler } from './carry-out.ts';
import type { StartWatch } from './start.ts';

export interface WorkerNewsParts {
  readonly plan: Plan;
  readonly crew: Crew;
  readonly dispatcher: ConnectionDispatcher;
  readonly operations: Operations;
  readonly reloading: Reloading;
  readonly scalings: Scalings;
  readonly load: LoadScaling;
  readonly reconciler: Reconciler;
  readonly quotas: Quotas;
  readonly quarantines: Quarantines;
  readonly lostRequests: LostRequests;
  readonly logger: Logger;
  /** until the first generation serves */
  readonly start: () => StartWatch | undefined;
  /** no worker of the first generation became ready */
  readonly hopeless: (error: Error) => void;
}

/** Whether the worker itself has sent this; the master has seen the rest happen to its process. */
function isSent({ type }: WorkerNews): boolean {
  return type !== 'exit' && type !== 'deadline' && type !== 'lost' && type !== 'fault';
}

export class WorkerNewsHandler {
  readonly #parts: WorkerNewsParts;

  constructor(parts: WorkerNewsParts) {
    this.#parts = parts;
  }

  /** The last worker has exited. */
  close(): void {
    this.#parts.lostRequests.end();
  }

  /** A message that cannot be handled is the fault of the worker that sent it: that worker ends, and the others serve on. */
  handle(worker: WorkerHandle, news: WorkerNews): void {
    try {
      this.#handle(worker, news);
    } catch (thrown) {
      if (!isSent(news)) throw thrown;
      const { message, stack } = toError(thrown);
      this.#handle(worker, { type: 'fault', message, stack });
    }
  }

  #handle(worker: WorkerHandle, news: WorkerNews): void {
    const { plan, crew, dispatcher, reloading, reconciler, quotas, quarantines } = this.#parts;
    const { lines } = crew;
    const { record, state: before } = worker;
    switch (news.type) {
      case 'hello':
        record.noteHello();
        worker.boot();
        if (worker.state === 'booting') this.#sendQuarantine(worker);
        break;
      case 'boot-step':
        record.noteBootStep(news.step);
        break;
      case 'ready':
        worker.becomeReady();
        if (worker.state !== 'ready') break;
        crew.workerReady(worker, { interface: news.interface, isGuess: news.isGuess });
        lines.ready(worker);
        this.#ready(worker);
        break;
      case 'failed':
        record.noteFailure(news);
        if (!this.#isQuiet(worker)) lines.failed(worker);
        break;
      case 'crashed':
        record.noteCrash(news);
        // A worker that was ready has a log of its own, and writes the crash there.
        if (!this.#isQuiet(worker) && worker.readyForMs === undefined) lines.crashed(worker);
        lines.cut(worker, news.requests ?? []);
        quarantines.noteCrash(worker.generation, news.requests ?? []);
        break;
      case 'answered':
        record.noteAnswered();
        break;
      case 'stats':
        record.noteStats(news.stats);
        dispatcher.flush();
        if (worker.generation.number === plan.wanted.candidate) reloading.noteStats(worker.id, news.stats);
        break;
      case 'under-way':
        record.noteUnderWay(news.requests);
        break;
      case 'usage':
        quotas.noteUsage(worker, news);
        break;
      case 'send-refused':
        lines.sendRefused(worker, news);
        break;
      case 'leaving':
        if (stays(worker.state)) reconciler.retire(worker, news.signal);
        break;
      case 'drained':
        record.noteDrained(news);
        break;
      case 'overdue':
        record.noteOverdue(news);
        if (worker.state === 'draining') worker.kill('retired');
        lines.cut(worker, news.requests);
        if (worker.state !== before) lines.killed(worker, 'its grace time is over');
        break;
      case 'watched':
        lines.watched(worker);
        break;
      case 'busy':
        lines.busy(worker, news);
        break;
      case 'stuck':
        // The worker is killed even if its `ready` is still in the channel.
        record.noteStuck(news.report);
        worker.kill('stuck');
        lines.stuck(worker, news);
        if (worker.state !== before) lines.killed(worker, 'its event loop was stuck for longer than stuckTimeout');
        quarantines.noteCrash(worker.generation, news.report.requests);
        break;
      case 'recovered':
        lines.recovered(worker, news.blockedMs);
        break;
      case 'silent':
        lines.silent(worker, news.quietMs);
        break;
      case 'heard':
        lines.heard(worker, news.quietMs);
        break;
      case 'garbled':
        lines.garbled(worker);
        break;
      case 'fault':
        record.noteFault(news);
        worker.kill('faulty');
        lines.faulty(worker, news);
        if (worker.state !== before) lines.killed(worker, 'it sent a message that only a forgery can be');
        break;
      case 'deadline':
        if (news.of !== worker.state) break;
        worker.kill(stays(before) ? 'boot-timeout' : 'retired');
        lines.killed(worker, isLive(before) ? 'it was not ready within bootTimeout' : 'its grace time is over');
        break;
      case 'lost':
        record.noteLost();
        crew.moves.gone(worker);
        if (stays(worker.state)) reconciler.retire(worker, 'it closed its channel');
        break;
      case 'exit':
        this.#exit(worker, news);
        break;
      default:
        news satisfies never;
    }
  }

  /** Of a start or a reload only the outcome is logged, once, and not each worker that failed for it. */
  #isQuiet(worker: WorkerHandle): boolean {
    const { plan, start } = this.#parts;
    const isTrial = start()?.anyReady === false || worker.generation.number !== plan.wanted.serving;
    return isTrial && worker.readyForMs === undefined;
  }

  /** Tells a new worker which routes are in quarantine. */
  #sendQuarantine(worker: WorkerHandle): void {
    const message = this.#parts.quarantines.messageFor(worker.generation.number);
    if (message) worker.send(message);
  }

  #ready(worker: WorkerHandle): void {
    const { plan, crew, dispatcher, reloading, load, lostRequests, logger, start } = this.#parts;
    dispatcher.flush();
    const { number } = worker.generation;
    load.noteReady(number);
    lostRequests.give(number);
    if (start()?.noteReady(logger)) crew.openHeldPlaces(number);
    if (number === plan.wanted.candidate) reloading.candidateReady();
  }

  #exit(worker: WorkerHandle, end: WorkerEnd): void {
    const { crew, dispatcher, operations, quotas, lostRequests } = this.#parts;
    worker.record.noteExit(end);
    worker.exited();
    crew.gone(worker);
    crew.lines.exit(worker, end, this.#isQuiet(worker));
    dispatcher.gone(worker);
    quotas.gone(worker);
    operations.gone(worker.id, worker.record.departures);
    lostRequests.gone(worker, end);
    this.#noteDeath(worker, end);
  }

  /** Counts an unexpected death: for the candidate against its reload, for the serving generation against its place. */
  #noteDeath(worker: WorkerHandle, end: WorkerEnd): void {
    const { plan, crew, reloading } = this.#parts;
    const start = this.#parts.start();
    const { serving, candidate, ending } = plan.wanted;
    const { endReason, generation, readyForMs } = worker;
    if (ending !== 'no' || endReason === 'retired' || endReason === 'stopped') return;
    const error = deathError(worker, end);
    const { number } = generation;
    if ((number === candidate || number === serving) && wasHitEarly(worker, end)) {
      crew.noteDeath(worker, { hold: false });
    } else if (number === candidate) {
      // A worker that has served gets a second try: it may have been killed from outside.
      const streak = crew.noteDeath(worker, { hold: false });
      if (readyForMs === undefined || streak > 1) reloading.fail(error);
      else reloading.noteCrash();
    } else if (number === serving) {
      const streak = crew.noteDeath(worker, { hold: start?.anyReady === false });
      this.#countForScaling(number, error, { streak, isLate: endReason === 'boot-timeout' });
      start?.noteFailure(error);
      if (start?.isHopeless(crew.workers)) this.#parts.hopeless(error);
    }
  }

  /** A scaling that fails with this death is undone. */
  #countForScaling(generation: number, error: Error, how: { streak: number; isLate: boolean }): void {
    const { plan, crew, scalings, load } = this.#parts;
    const before = scalings.noteDeath(error, how);
    if (before === undefined) return;
    const { from, to } = plan.scale({ to: before });
    crew.dropPlaces(generation, from - to);
    load.noteFailure(generation);
  }
}
