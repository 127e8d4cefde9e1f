/** Compares what is wanted with the workers that are seen, and carries out what `reconcile` says, until nothing is left to do. */
import type { Plan } from '../generations/plan.ts';
import type { Scalings } from '../load/scaling.ts';
import type { Stopping } from '../outcomes/stopping.ts';
import type { Reloading } from '../reload/reloading.ts';
import type { ConnectionDispatcher } from '../sockets/accept-for-workers.ts';
import type { Crew } from '../workers/crew.ts';
import type { Drain, WorkerHandle } from '../workers/worker.ts';
import { isRolledOut, reconcile } from './reconcile.ts';
import type { CrewCommand } from './reconcile.ts';

export interface ReconcilerParts {
  readonly plan: Plan;
  readonly crew: Crew;
  readonly dispatcher: ConnectionDispatcher;
  readonly reloading: Reloading;
  readonly scalings: Scalings;
  readonly stopping: Stopping;
}

export class Reconciler {
  readonly #parts: ReconcilerParts;

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  run(): void {
    const { plan, crew, reloading } = this.#parts;
    crew.markOverdue();
    do {
      crew.want(plan.generationNumbers);
      const { serving, candidate } = plan.wanted;
      const held = { serving: crew.held(serving), candidate: crew.held(candidate) };
      for (const command of reconcile(plan.wanted, crew.seen, held)) this.#carryOut(command);
    } while (reloading.advance(isRolledOut(plan.wanted, crew.seen), performance.now()));
    reloading.settle();
  }

  retire(worker: WorkerHandle, reason?: string): void {
    const { crew, reloading, scalings } = this.#parts;
    if (!reloading.noteRetired(worker)) scalings.noteRetired(worker.id);
    crew.retire(worker, this.drainOf(worker), reason);
  }

  /** The drain message for a worker that is retired now. */
  drainOf(worker: WorkerHandle): Drain {
    const { plan, crew, reloading, stopping } = this.#parts;
    const { graceMs } = plan.generation(reloading.settingGeneration).options;
    return { graceMs: stopping.graceMs ?? graceMs, idle: stopping.closesIdle ? 'close' : crew.moves.idleOf(worker) };
  }

  /** Milliseconds until something is due; undefined when only a report can change anything. */
  get nextWakeMs(): number | undefined {
    const { plan, crew, reloading } = this.#parts;
    if (plan.wanted.ending !== 'no') return undefined;
    const wakes = [crew.nextWakeMs, reloading.nextWakeMs(performance.now())];
    const next = Math.min(...wakes.map((ms) => ms ?? Infinity));
    return next === Infinity ? undefined : next;
  }

  #carryOut(command: CrewCommand): void {
    const { plan, crew, dispatcher, reloading } = this.#parts;
    if (command.do === 'spawn') {
      crew.spawn(plan.generation(command.generation));
      return;
    }
    const worker = crew.find(command.worker);
    switch (command.do) {
      case 'kill':
        worker.kill('stopped');
        break;
      case 'retire':
        this.retire(worker, worker.overdue);
        break;
      case 'rest':
        reloading.noteReplaced(worker);
        crew.rest(worker);
        break;
      case 'resume':
        crew.resume(worker);
        dispatcher.flush();
        break;
      default:
        command satisfies never;
    }
  }
}
