/** The master's part in moving connections: which workers may move theirs, when there is a target, and the counts of what moved. */
import type { Logger } from '../../shared/log/log.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { MasterToWorker, MovingToMaster } from '../../shared/protocol/messages.ts';
import { Relay } from './relay.ts';
import type { Party, Target } from './targets.ts';

/** The part of a worker that moving connections needs. */
export interface MovingWorker extends Target {
  readonly id: number;
  readonly pid: number | undefined;
  /** tells a worker that drains that its connections can move now */
  letMove(): void;
  noteMoved(count: number): void;
}

export interface MovingWorkers {
  readonly workers: readonly MovingWorker[];
  /** workers that can receive connections */
  readonly open: readonly MovingWorker[];
  /** the workers among them that connections are moved to */
  readonly targets: readonly MovingWorker[];
}

export class Moves {
  readonly #possible: boolean;
  readonly #logger: Logger;
  readonly #crew: MovingWorkers;
  readonly #relay: Relay;
  #nextMaster: Target | undefined;

  /** `possible`: whether this platform lets connections move at all */
  constructor({ possible, logger }: { possible: boolean; logger: Logger }, crew: MovingWorkers) {
    this.#possible = possible;
    this.#logger = logger;
    this.#crew = crew;
    this.#relay = new Relay(() =>
      this.#nextMaster === undefined ? crew.targets : [...crew.targets, this.#nextMaster],
    );
  }

  /** Handles messages about moving connections immediately, since no decision of the master depends on them. */
  readonly onMessage = (party: Party, message: MovingToMaster, handle: PassedHandle | undefined): void =>
    this.#relay.onMessage(party, message, handle);

  /** The next master accepts connections from now on, and gets them before any worker here. */
  openTo(nextMaster: Target): void {
    if (this.#possible) this.#nextMaster = nextMaster;
  }

  /** Another master has exited: the next one, which connections went to, or the previous one, which they came from. */
  closeTo(master: Party): void {
    if (this.#nextMaster === master) this.#nextMaster = undefined;
    this.#relay.gone(master);
  }

  /** What a retiring worker does with idle connections. When it is the last one, a replacement will follow. */
  idleOf(worker: MovingWorker): Extract<MasterToWorker, { type: 'drain' }>['idle'] {
    if (!this.#possible) return 'keep';
    const hasTarget = this.#nextMaster !== undefined || this.#crew.open.some((other) => other !== worker);
    return hasTarget ? 'move' : 'wait';
  }

  /** A worker has begun to accept. */
  workerReady(): void {
    if (!this.#possible) return;
    this.#relay.flush();
    for (const worker of this.#crew.workers) worker.letMove();
  }

  /** This worker can send no more messages. */
  gone(worker: MovingWorker): void {
    const { moved, returned } = this.#relay.gone(worker);
    worker.noteMoved(moved);
    const { id, pid, generation } = worker;
    if (moved > 0)
      this.#logger.info('connections.moved', { worker: id, pid, generation: generation.number, moved, returned });
  }

  close(): void {
    this.#relay.close();
  }
}
