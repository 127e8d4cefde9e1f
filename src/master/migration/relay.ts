/**
 * Passes connections from workers that retire to workers that serve: the shell around the transfer table.
 *
 * It holds a copy of each descriptor until the connection is adopted, and never reads from it. There are as many as
 * the windows of the retiring workers allow (a few each), so nothing here needs a bound of its own.
 */
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { MovingConnection, MovingToMaster } from '../../shared/protocol/messages.ts';
import { pickTarget } from './targets.ts';
import type { Party, Target } from './targets.ts';
import { nextTransferStep } from './transfer-table.ts';
import type { TransferDeed, TransferInput, TransferState } from './transfer-table.ts';

/** A worker that has not confirmed anything for this long is asked what it got, and gets no more until it has answered. */
const syncAfterMs = 250;
/** How long a connection without an origin waits for a ready worker. */
const strandedForMs = 30_000;

interface Transfer {
  /** a new one with each offer: a confirmation, or the lack of one, is about that offer and no other */
  id: number;
  readonly origin: Party;
  /** the origin's own number for it */
  readonly originId: number;
  readonly connection: MovingConnection;
  readonly handle: PassedHandle;
  readonly sinceMs: number;
  state: TransferState;
  target: Target | undefined;
}

type Ending = Extract<TransferDeed, `close${string}`>;

/** The fate of the connections that a worker gave away. */
export interface MoveCounts {
  moved: number;
  returned: number;
}

export class Relay {
  /** ready workers that can be reached */
  readonly #targets: () => readonly Target[];
  readonly #transfers = new Map<number, Transfer>();
  readonly #counts = new Map<Party, MoveCounts>();
  /** parties that confirmed something since the last check, and parties that were asked */
  readonly #progressed = new Set<Party>();
  readonly #asked = new Set<Party>();
  #lastId = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(targets: () => readonly Target[]) {
    this.#targets = targets;
  }

  /** how many connections the relay holds */
  get size(): number {
    return this.#transfers.size;
  }

  onMessage(party: Party, message: MovingToMaster, handle: PassedHandle | undefined): void {
    switch (message.type) {
      case 'move':
        this.#accept(party, message, handle);
        break;
      case 'adopted': {
        this.#progressed.add(party);
        const transfer = this.#transfers.get(message.id);
        if (transfer?.target === party) this.#step(transfer, 'adopted');
        break;
      }
      case 'refused': {
        this.#progressed.add(party);
        const transfer = this.#transfers.get(message.id);
        if (transfer?.target === party) this.#step(transfer, this.#notTaken(party));
        break;
      }
      case 'sync': {
        const mine = this.#where(({ origin, originId }) => origin === party && originId <= message.upTo);
        party.send({ type: 'synced', upTo: message.upTo, here: mine.map(({ originId }) => originId) });
        break;
      }
      case 'synced': {
        this.#asked.delete(party);
        // A worker keeps nothing waiting; a new master may, while its own worker has not confirmed.
        const here = new Set(message.here);
        const isMissed = ({ target, id }: Transfer) => target === party && id <= message.upTo && !here.has(id);
        this.#stepAll(isMissed, 'missed');
        break;
      }
      default:
        message satisfies never;
    }
  }

  /** A worker has begun to accept. */
  flush(): void {
    for (const transfer of this.#where(({ state }) => state === 'stranded')) this.#place(transfer);
  }

  /**
   * A worker has exited, or its channel is closed. Returns the fate of the connections that it gave away; those that
   * the relay holds go on without it.
   */
  gone(party: Party): MoveCounts {
    const hasOrigin = ({ state }: Transfer) => state === 'here' || state === 'offered';
    const goingOn = this.#where((one) => one.origin === party && hasOrigin(one));
    for (const transfer of goingOn) this.#step(transfer, 'origin-gone');
    this.#stepAll(({ target }) => target === party, 'target-gone');
    const { moved, returned } = this.#counts.get(party) ?? { moved: 0, returned: 0 };
    const counts = { moved: moved + goingOn.length, returned };
    for (const perParty of [this.#counts, this.#progressed, this.#asked]) perParty.delete(party);
    return counts;
  }

  /** No worker is left, and none will come. */
  close(): void {
    this.#stepAll(() => true, 'abandon');
  }

  #stepAll(fits: (transfer: Transfer) => boolean, input: TransferInput): void {
    for (const transfer of this.#where(fits)) this.#step(transfer, input);
  }

  #where(fits: (transfer: Transfer) => boolean): Transfer[] {
    return [...this.#transfers.values()].filter(fits);
  }

  #accept(
    origin: Party,
    { id: originId, connection }: Extract<MovingToMaster, { type: 'move' }>,
    handle: PassedHandle | undefined,
  ): void {
    // The message arrived without its descriptor; the origin learns that from its next 'sync'.
    if (handle === undefined) return;
    const common = { origin, originId, connection, handle, sinceMs: performance.now() };
    const transfer: Transfer = { ...common, id: 0, state: 'here', target: undefined };
    this.#number(transfer);
    this.#timer ??= setInterval(() => this.#checkProgress(), syncAfterMs).unref();
    this.#place(transfer);
  }

  #number(transfer: Transfer): void {
    this.#transfers.delete(transfer.id);
    this.#lastId += 1;
    transfer.id = this.#lastId;
    this.#transfers.set(transfer.id, transfer);
  }

  #place(transfer: Transfer): void {
    transfer.target = pickTarget(this.#targets(), transfer.origin, this.#asked);
    this.#step(transfer, transfer.target === undefined ? 'none-found' : 'found');
  }

  #step(transfer: Transfer, input: TransferInput): void {
    const { to, deed } = nextTransferStep(transfer.state, input);
    transfer.state = to;
    if (to === 'here' || to === 'stranded') transfer.target = undefined;
    switch (deed) {
      case 'offer':
        this.#offer(transfer, transfer.target!);
        break;
      case 'place':
        this.#place(transfer);
        break;
      case 'close':
      case 'close-and-confirm':
      case 'close-and-return':
        this.#end(transfer, deed, input === 'missed' ? 'not-received' : 'no-worker');
        break;
      case undefined:
        break;
      default:
        deed satisfies never;
    }
  }

  #offer(transfer: Transfer, target: Target): void {
    this.#number(transfer);
    const { id, connection, handle } = transfer;
    target.noteConnection();
    target.send({ type: 'adopt', id, connection }, handle, (error) => {
      // It may still be lost without an error, which 'sync' shows. Messages in a closing channel are lost, and gone()
      // follows.
      if (error === null || transfer.id !== id || transfer.target !== target || transfer.state === 'over') return;
      this.#step(transfer, this.#notTaken(target));
    });
  }

  /** A party that stopped being a target counts as gone, not as a missed delivery, so that another target is asked. */
  #notTaken(party: Party): TransferInput {
    return this.#targets().some((target) => target === party) ? 'missed' : 'target-gone';
  }

  #end({ id, origin, originId, handle }: Transfer, how: Ending, because: 'no-worker' | 'not-received'): void {
    this.#transfers.delete(id);
    handle.close();
    if (how === 'close') return;
    const counts = this.#counts.get(origin) ?? { moved: 0, returned: 0 };
    this.#counts.set(origin, counts);
    if (how === 'close-and-confirm') {
      counts.moved += 1;
      origin.send({ type: 'moved', id: originId });
    } else {
      counts.returned += 1;
      origin.send({ type: 'move-back', id: originId, because });
    }
  }

  /**
   * Runs at an interval while the relay holds connections: it asks silent parties, and places or gives up waiting
   * connections.
   */
  #checkProgress(): void {
    if (this.#transfers.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const silent = new Set<Party>();
    for (const { target } of this.#transfers.values()) {
      // Node does not report a channel that closes with a descriptor in it while the process lives.
      if (target?.connected === false) this.#stepAll((one) => one.target === target, 'target-gone');
      else if (target && !this.#progressed.has(target) && !this.#asked.has(target)) silent.add(target);
    }
    this.#progressed.clear();
    for (const target of silent) {
      this.#asked.add(target);
      target.send({ type: 'sync', upTo: this.#lastId });
    }
    const tooOldMs = performance.now() - strandedForMs;
    for (const transfer of this.#where(({ state }) => state === 'stranded')) {
      if (transfer.sinceMs < tooOldMs) this.#step(transfer, 'abandon');
      else this.#place(transfer);
    }
  }
}
