/**
 * What an upgrade does to this master. Handing over is a stop but for two things: idle connections move to the new master, and the sockets
 * stay open here until the end, so that everything can be taken back.
 */
import type { Logger } from '../../shared/log/log.ts';
import type { Command } from '../loop/commands.ts';
import type { Crew } from '../workers/crew.ts';
import type { Emit } from '../outcomes/events.ts';
import type { Listener } from '../sockets/listeners.ts';
import type { Plan } from '../generations/plan.ts';
import type { Reloading } from '../reload/reloading.ts';
import type { Stopping } from '../outcomes/stopping.ts';
import { launchSuccessor } from './launch.ts';
import type { Successor } from './next-master.ts';
import { Upgrading } from './upgrading.ts';

export interface SuccessionParts {
  readonly plan: Plan;
  readonly crew: Crew;
  readonly reloading: Reloading;
  readonly stopping: Stopping;
  readonly logger: Logger;
  readonly emit: Emit;
  readonly push: (command: Command) => void;
  readonly listeners: readonly Listener[];
  /** where a new master is to start */
  readonly directory: string;
  /** says again who the master is, after this process may have said that it is the one */
  readonly reclaim: (from: number | undefined) => void;
}

export class Succession {
  readonly upgrading: Upgrading;
  readonly #parts: SuccessionParts;
  #passedOn: ReadonlySet<string> = new Set();

  constructor(parts: SuccessionParts) {
    this.#parts = parts;
    const { plan, crew, logger, emit, push } = parts;
    this.upgrading = new Upgrading({
      logger,
      emit,
      push,
      launch: (report) => {
        const size = { configured: plan.range, wanted: plan.wanted.workers };
        return launchSuccessor({ ...parts, moves: crew.moves, size }, report);
      },
      handOver: (successor, keys, moving) => this.#handOver(successor, keys, moving),
      takeBack: (successor) => this.#takeBack(successor),
      gone: (successor) => crew.moves.closeTo(successor),
      times: () => plan.generation(plan.wanted.serving).options,
    });
  }

  /** keys of the sockets that another master serves */
  get passedOn(): ReadonlySet<string> {
    return this.#passedOn;
  }

  take(command: Extract<Command, { type: 'upgrade' | 'successor' }>, isStarting: boolean): void {
    if (command.type === 'successor') {
      this.upgrading.take(command.successor, command.news);
      return;
    }
    const { plan, reloading } = this.#parts;
    if (this.upgrading.isUnderWay) this.upgrading.begin(command.answer);
    else if (isStarting) this.upgrading.refuse(command.answer, 'the master is still starting');
    else if (plan.wanted.ending !== 'no') this.upgrading.refuse(command.answer, 'the master is stopping');
    else {
      reloading.giveWay('an upgrade of the master was asked for before this reload was done');
      this.upgrading.begin(command.answer);
    }
  }

  #handOver(successor: Successor, keys: readonly string[], moving: boolean): void {
    const { plan, crew, stopping, emit } = this.#parts;
    this.#passedOn = new Set(keys);
    if (moving) crew.moves.open(successor);
    emit('stopping');
    stopping.begin(
      'move',
      undefined,
      crew.workers.map(({ id }) => id),
    );
    plan.end('graceful');
  }

  #takeBack(successor: Successor): void {
    const { plan, stopping, reclaim } = this.#parts;
    this.#passedOn = new Set();
    if (plan.wanted.ending !== 'no') {
      // Who was told to stop meanwhile does not begin again.
      if (stopping.closesIdle || plan.wanted.ending === 'now') return;
      stopping.cancel();
      plan.resume();
    }
    reclaim(successor.pid);
  }
}
