/** What a worker reports, and what that means for a start, a reload, and its place. */
import { toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Crew } from '../workers/crew.ts';
import type { ConnectionDispatcher } from '../sockets/accept-for-workers.ts';
import type { LoadScaling } from '../load/load-scaling.ts';
import type { LostRequests } from '../workers/lost-requests.ts';
import type { Operations } from '../outcomes/operations.ts';
import type { Plan } from '../generations/plan.ts';
import type { Quarantines } from '../load/quarantine.ts';
import type { Quotas } from '../load/quotas.ts';
import type { Reloading } from '../reload/reloading.ts';
import type { Scalings } from '../load/scaling.ts';
import type { StartWatch } from './start.ts';
import type { Upkeep } from './carry-out.ts';
import { deathError, wasHitEarly } from '../workers/worker-death.ts';
import type { WorkerHandle, WorkerNews } from '../workers/worker.ts';
import type { WorkerEnd } from '../workers/worker-process.ts';
import { stays } from '../workers/worker-states.ts';

export interface WorkerNewsParts {
  readonly plan: Plan;
  readonly crew: Crew;
  readonly dispatcher: ConnectionDispatcher;
  readonly operations: Operations;
  readonly reloading: Reloading;
  readonly scalings: Scalings;
  readonly load: LoadScaling;
  readonly upkeep: Upkeep;
  readonly quotas: Quotas;
  readonly quarantines: Quarantines;
  readonly lostRequests: LostRequests;
  readonly logger: Logger;
  /** until the first generation is up */
  readonly start: () => StartWatch | undefined;
  /** no worker of the first generation became ready */
  readonly hopeless: (error: Error) => void;
}

/** Whether these are words of the worker's own; the rest was seen of its process. */
function isSaid({ type }: WorkerNews): boolean {
  return type !== 'exit' && type !== 'deadline' && type !== 'lost' && type !== 'fault';
}

export class WorkerNewsHandler {
  readonly #parts: WorkerNewsParts;

  constructor(parts: WorkerNewsParts) {
    this.#parts = parts;
  }

  /** The last worker is gone. */
  close(): void {
    this.#parts.lostRequests.end();
  }

  /** What cannot be taken in is the fault of the worker that said it: it ends, and the others serve on. */
  handle(worker: WorkerHandle, news: WorkerNews): void {
    try {
      this.#handle(worker, news);
    } catch (thrown) {
      if (!isSaid(news)) throw thrown;
      const { message, stack } = toError(thrown);
      this.#handle(worker, { type: 'fault', message, stack });
    }
  }

  #handle(worker: WorkerHandle, news: WorkerNews): void {
    const { plan, crew, dispatcher, operations, reloading, upkeep, quotas, quarantines, lostRequests, start } =
      this.#parts;
    // Of a start or a reload only the outcome is told, once.
    const quiet = start()?.anyReady === false || worker.generation.number !== plan.wanted.serving;
    crew.take(worker, news, { quiet });
    switch (news.type) {
      case 'hello':
        if (worker.state === 'booting') this.#warn(worker);
        break;
      case 'crashed':
        quarantines.noteCrash(worker.generation, news.requests ?? []);
        break;
      case 'stuck':
        quarantines.noteCrash(worker.generation, news.report.requests);
        break;
      case 'ready':
        if (worker.state === 'ready') this.#ready(worker);
        break;
      case 'stats':
        dispatcher.flush();
        if (worker.generation.number === plan.wanted.candidate) reloading.noteStats(worker.id, news.stats);
        break;
      case 'usage':
        quotas.noteUsage(worker, news);
        break;
      case 'leaving':
      case 'lost':
        if (stays(worker.state)) upkeep.retire(worker, news.type === 'lost' ? 'it closed its channel' : news.signal);
        break;
      case 'exit':
        dispatcher.gone(worker);
        quotas.gone(worker);
        operations.gone(worker.id, worker.departures);
        lostRequests.gone(worker, news);
        this.#gone(worker, news);
        break;
      default: // nothing to decide
    }
  }

  /** Of routes that took others of its generation down. */
  #warn(worker: WorkerHandle): void {
    const message = this.#parts.quarantines.messageFor(worker.generation.number);
    if (message) worker.send(message);
  }

  #ready(worker: WorkerHandle): void {
    const { plan, crew, dispatcher, reloading, load, lostRequests, logger, start } = this.#parts;
    dispatcher.flush();
    const { number } = worker.generation;
    load.noteReady(number);
    lostRequests.give(number);
    if (start()?.noteReady(logger)) crew.release(number);
    if (number === plan.wanted.candidate) reloading.candidateReady();
  }

  #gone(worker: WorkerHandle, end: WorkerEnd): void {
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
      // One that served already gets a second try: it may have been killed from outside.
      const streak = crew.noteDeath(worker, { hold: false });
      if (readyForMs === undefined || streak > 1) reloading.fail(error);
      else reloading.noteCrash();
    } else if (number === serving) {
      const streak = crew.noteDeath(worker, { hold: start?.anyReady === false });
      this.#noteDeath(number, error, { streak, isLate: endReason === 'boot-timeout' });
      start?.noteFailure(error);
      if (start?.isHopeless(crew.workers)) this.#parts.hopeless(error);
    }
  }

  /** A scaling that has failed with it is taken back. */
  #noteDeath(generation: number, error: Error, how: { streak: number; isLate: boolean }): void {
    const { plan, crew, scalings, load } = this.#parts;
    const before = scalings.noteDeath(error, how);
    if (before === undefined) return;
    const { from, to } = plan.scale({ to: before });
    crew.forgive(generation, from - to);
    load.noteFailure(generation);
  }
}
