/** The master's part in moving connections: who may move, when there is somewhere to go, and what was moved. */
import type { Logger } from '../../shared/log/log.ts';
import type { MovingToMaster } from '../../shared/protocol/messages.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { Drain, WorkerHandle } from '../workers/worker.ts';
import { Relay } from './relay.ts';
import type { Party, Target } from './targets.ts';

/** The workers as far as they matter here. */
export interface Workers {
  readonly workers: readonly WorkerHandle[];
  /** those that connections can be given to */
  readonly open: readonly WorkerHandle[];
  /** those of them that connections are moved to */
  readonly havens: readonly WorkerHandle[];
}

export class Moves {
  readonly #possible: boolean;
  readonly #logger: Logger;
  readonly #crew: Workers;
  readonly #relay: Relay;
  #successor: Target | undefined;

  /** `possible`: whether this platform lets connections move at all */
  constructor({ possible, logger }: { possible: boolean; logger: Logger }, crew: Workers) {
    this.#possible = possible;
    this.#logger = logger;
    this.#crew = crew;
    this.#relay = new Relay(() => (this.#successor === undefined ? crew.havens : [...crew.havens, this.#successor]));
  }

  readonly take = (party: Party, message: MovingToMaster, handle: PassedHandle | undefined): void =>
    this.#relay.take(party, message, handle);

  /** A new master takes connections from now on, and does so before any worker here. */
  open(successor: Target): void {
    if (this.#possible) this.#successor = successor;
  }

  /** Another master is gone: one that connections went to, or came from. */
  closeTo(master: Party): void {
    if (this.#successor === master) this.#successor = undefined;
    this.#relay.gone(master);
  }

  /** What a worker that retires is to do with idle connections. When it is the last one, another one is on its way. */
  idleOf(worker: WorkerHandle): Drain['idle'] {
    if (!this.#possible) return 'keep';
    const isSomewhere = this.#successor !== undefined || this.#crew.open.some((other) => other !== worker);
    return isSomewhere ? 'move' : 'wait';
  }

  /** There is a worker that accepts and did not before. */
  workerReady(): void {
    if (!this.#possible) return;
    this.#relay.flush();
    for (const worker of this.#crew.workers) worker.letMove();
  }

  /** No message of this worker can come any more. */
  gone(worker: WorkerHandle): void {
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
