/** Divides the limits maxConnections and maxConcurrentRequests among the workers that serve, by the rules of shares.ts. */
import type { Options } from '../../shared/options/table.ts';
import type { GuardingToMaster, Usage } from '../../shared/protocol/guarding.ts';
import type { WorkerHandle } from '../workers/worker.ts';
import { dealShares, newHolder, noteUsage } from './shares.ts';
import type { Holder } from './shares.ts';

type Sharer = Pick<WorkerHandle, 'id' | 'state' | 'send'>;
type Limits = Pick<Options, 'maxConnections' | 'maxConcurrentRequests'>;

/** The reports of many workers are collected before the next deal. */
const dealAfterMs = 20;

export class Quotas {
  readonly #limits: () => Limits;
  readonly #workers = new Map<number, Sharer>();
  readonly #connections = new Map<number, Holder>();
  readonly #requests = new Map<number, Holder>();
  #serial = 0;
  #isDue = false;

  constructor(limits: () => Limits) {
    this.#limits = limits;
  }

  /** A worker reports what it uses. It gets shares from its first report on. */
  noteUsage(worker: Sharer, { serial, connections, requests }: GuardingToMaster): void {
    // A report that was still on its way when the worker ended must not bring it back.
    if (worker.state === 'gone') return;
    this.#workers.set(worker.id, worker);
    note(this.#connections, worker.id, serial, connections);
    note(this.#requests, worker.id, serial, requests);
    this.#dealSoon();
  }

  gone(worker: Sharer): void {
    if (!this.#workers.delete(worker.id)) return;
    this.#connections.delete(worker.id);
    this.#requests.delete(worker.id);
    this.#dealSoon();
  }

  #dealSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setTimeout(() => this.#deal(), dealAfterMs).unref();
  }

  #deal(): void {
    this.#isDue = false;
    this.#serial += 1;
    const serial = this.#serial;
    const { maxConnections, maxConcurrentRequests } = this.#limits();
    // A draining worker accepts no more connections, but answers requests until it exits.
    const closed = (id: number) => !['booting', 'ready'].includes(this.#workers.get(id)!.state);
    const changed = new Set([
      ...deal(this.#connections, maxConnections, serial, closed),
      ...deal(this.#requests, maxConcurrentRequests, serial, () => false),
    ]);
    for (const id of changed) {
      const connections = this.#connections.get(id)?.share;
      const requests = this.#requests.get(id)?.share;
      this.#workers.get(id)?.send({ type: 'shares', serial, connections, requests });
    }
  }
}

function note(holders: Map<number, Holder>, id: number, serial: number, usage: Usage | undefined): void {
  if (usage !== undefined) holders.set(id, noteUsage(holders.get(id) ?? newHolder(id), serial, usage));
}

/**
 * Returns the workers whose share has changed. Where the limit no longer exists, workers with a share keep it until
 * they exit.
 */
function deal(
  holders: Map<number, Holder>,
  limit: number,
  serial: number,
  isLeaving: (id: number) => boolean,
): number[] {
  if (limit === 0) return [];
  const before = [...holders.values()].map((holder) => ({ ...holder, isLeaving: isLeaving(holder.id) }));
  const after = dealShares(limit, before, serial);
  for (const holder of after) holders.set(holder.id, holder);
  return after.filter(({ share }, index) => share !== before[index]!.share).map(({ id }) => id);
}
