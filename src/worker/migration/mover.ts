/**
 * Moves the connections of a retiring worker to other workers, through the master.
 *
 * Only a few are in transfer at a time: these are not served meanwhile, and more would not be faster, since a channel
 * transfers one descriptor at a time. All others are served as before until their turn. A copy of each is kept, unread,
 * until its receiver has confirmed; closing the copy is only a close(2), which the client does not see.
 *
 * A receiver that does not answer (it is stopped, or its loop is blocked) must not delay the others: its connections
 * count as slow and leave the window, and the next ones go elsewhere. They are not taken back, since the receiver may
 * read them at any moment.
 */
import type { MovingConnection, MovingToMaster, MovingToWorker } from '../../shared/protocol/messages.ts';
import type { PassedHandle, Transport } from '../../shared/node-private/node-private.ts';
import type { PeerFacts } from '../transport/peer.ts';

/** A connection that was removed from service. */
export interface DetachedConnection {
  readonly handle: PassedHandle;
  readonly connection: MovingConnection;
  /** Another process serves it: closes the copy. */
  drop(): void;
  /** No other process has it: serves it here again. */
  resume(): void;
}

export interface Movable {
  /** Identifies the connection, independent of the object that serves it. */
  readonly transport: object;
  /** Removes it from service; undefined when it is busy. */
  detach(): DetachedConnection | undefined;
}

export interface ServedConnection {
  readonly transport: Transport;
  readonly peer: PeerFacts;
  /** Requests so far. */
  readonly requests: number;
  /** The bytes that have not been parsed. */
  readonly takeRest: () => Buffer;
  /** Serves it here again. */
  readonly resume: (rest: Buffer) => void;
}

/**
 * Removes a connection of evy's own loop from service, with all its unparsed bytes. Returns undefined, and changes
 * nothing, when Node cannot detach it.
 */
export function detachConnection(connection: ServedConnection): DetachedConnection | undefined {
  const { transport, peer, requests, takeRest, resume } = connection;
  const detached = transport.detach();
  if (detached === undefined) return undefined;
  const rest = detached.rest === undefined ? Buffer.from(takeRest()) : Buffer.concat([takeRest(), detached.rest]);
  return {
    handle: detached.handle,
    connection: rest.length === 0 ? { peer, requests } : { peer, requests, rest: rest.toString('base64') },
    drop: () => transport.destroy(),
    resume: () => {
      if (!transport.isDestroyed) resume(rest);
    },
  };
}

export interface MoverParts {
  /** `written` is called when the message was sent, or with an error. */
  send(message: MovingToMaster, handle?: PassedHandle, written?: (error: Error | null) => void): void;
  nowMs(): number;
}

/** Connections in transfer at a time, without the slow ones. */
const windowSize = 6;
/** A connection that is unconfirmed for this long is slow. By then the master has noticed that its target is silent. */
export const slowAfterMs = 750;
/** Connections in transfer in all; none of them is served meanwhile. */
const mostUnderWay = 64;
/** Connections that may leave without any confirmation; more of them would only wait. */
const mostUnanswered = 2 * windowSize;
/** When nothing was confirmed for this long, the master is asked what it received. */
export const syncAfterMs = 250;
/** A connection that failed to move this often stays. */
const mostFailures = 3;

type State = 'waiting' | 'moving' | 'stopped';

interface MovingEntry extends DetachedConnection {
  readonly transport: object;
  readonly sinceMs: number;
  isWritten: boolean;
  isSlow: boolean;
}

export class Mover {
  readonly #parts: MoverParts;
  readonly #queue = new Set<Movable>();
  readonly #underWay = new Map<number, MovingEntry>();
  readonly #failures = new WeakMap<object, number>();
  /** 'waiting': no order yet, or no target at present. 'stopped' is final. */
  #state: State = 'waiting';
  #announceAtMs = Infinity;
  #lastId = 0;
  /** Slow connections among those in transfer, and connections that left since the last confirmation. */
  #slow = 0;
  #unanswered = 0;
  #hasProgressed = false;
  #isDetaching = false;
  #timer: NodeJS.Timeout | undefined;
  #onChange: () => void = () => {};

  constructor(parts: MoverParts) {
    this.#parts = parts;
  }

  /** True only when nothing is in transfer and no connection is being detached. */
  get isEmpty(): boolean {
    return this.#underWay.size === 0 && !this.#isDetaching;
  }
  get hasRoom(): boolean {
    const { size } = this.#underWay;
    if (this.#state !== 'moving' || size >= mostUnderWay || this.#unanswered >= mostUnanswered) return false;
    return size - this.#slow < windowSize;
  }
  /** Calls back whenever `isEmpty` may have changed. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }

  /**
   * Another worker is ready ('move'), or will be ('wait'). In the first half of the grace time, connections that can
   * still move are not told to close.
   */
  order(what: 'move' | 'wait', graceMs: number): void {
    this.#announceAtMs = Math.min(this.#announceAtMs, this.#parts.nowMs() + graceMs / 2);
    if (what === 'move' && this.#state === 'waiting') this.#state = 'moving';
    this.#fill();
  }

  /** Lets no further connection leave; those in transfer are still waited for. */
  stop(): void {
    this.#state = 'stopped';
    this.#queue.clear();
  }

  /** Whether this connection is expected to move, so that its next response may keep it open. */
  expects(transport: object): boolean {
    return this.#state !== 'stopped' && this.mayMove(transport) && this.#parts.nowMs() < this.#announceAtMs;
  }

  mayMove(transport: object): boolean {
    return (this.#failures.get(transport) ?? 0) < mostFailures;
  }

  /** Returns whether it has left. Otherwise it must be served further; it gets its turn, and may be offered again. */
  offer(movable: Movable): boolean {
    if (this.#state === 'stopped' || !this.mayMove(movable.transport)) return false;
    if (!this.hasRoom) {
      this.#queue.add(movable);
      return false;
    }
    this.#queue.delete(movable);
    this.#isDetaching = true;
    const detached = movable.detach();
    if (detached !== undefined) this.#send(movable.transport, detached);
    this.#isDetaching = false;
    this.#onChange();
    return detached !== undefined;
  }

  /** The connection has ended. */
  forget(movable: Movable): void {
    this.#queue.delete(movable);
  }

  receive(message: Exclude<MovingToWorker, { type: 'adopt' }>): void {
    switch (message.type) {
      case 'moved':
        this.#settle(message.id, 'drop');
        break;
      case 'move-back':
        if (message.because === 'no-worker') {
          // Nothing moves until the next order. This does not count as a failure of the connection.
          if (this.#state === 'moving') this.#state = 'waiting';
          this.#settle(message.id, 'resume');
        } else this.#failed(message.id);
        break;
      case 'sync':
        // Connections sent to this worker were either adopted immediately or refused.
        this.#parts.send({ type: 'synced', upTo: message.upTo, here: [] });
        break;
      case 'synced': {
        const here = new Set(message.here);
        for (const id of this.#underWay.keys()) if (id <= message.upTo && !here.has(id)) this.#failed(id);
        break;
      }
      default:
        message satisfies never;
    }
  }

  /**
   * The channel is closed. Connections that have left may be read by another process, so they must not be read here;
   * the others are served further.
   */
  channelLost(): void {
    this.stop();
    for (const [id, { isWritten }] of this.#underWay) this.#settle(id, isWritten ? 'drop' : 'resume');
  }

  #send(transport: object, detached: DetachedConnection): void {
    this.#lastId += 1;
    const id = this.#lastId;
    const entry: MovingEntry = {
      ...detached,
      transport,
      sinceMs: this.#parts.nowMs(),
      isWritten: false,
      isSlow: false,
    };
    this.#underWay.set(id, entry);
    this.#unanswered += 1;
    this.#timer ??= setInterval(() => this.#checkProgress(), syncAfterMs).unref();
    this.#parts.send({ type: 'move', id, connection: detached.connection }, detached.handle, (error) => {
      if (error === null) entry.isWritten = true;
      else this.#failed(id);
    });
  }

  #failed(id: number): void {
    const entry = this.#underWay.get(id);
    if (entry === undefined) return;
    this.#failures.set(entry.transport, (this.#failures.get(entry.transport) ?? 0) + 1);
    this.#settle(id, 'resume');
  }

  #settle(id: number, how: 'drop' | 'resume'): void {
    const entry = this.#underWay.get(id);
    if (entry === undefined) return;
    this.#underWay.delete(id);
    if (entry.isSlow) this.#slow -= 1;
    this.#unanswered = 0;
    this.#hasProgressed = true;
    entry[how]();
    this.#fill();
    this.#onChange();
  }

  #fill(): void {
    for (const movable of this.#queue) {
      if (!this.hasRoom) return;
      this.offer(movable);
    }
  }

  #checkProgress(): void {
    if (this.isEmpty) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    } else if (!this.#hasProgressed) this.#parts.send({ type: 'sync', upTo: this.#lastId });
    this.#hasProgressed = false;
    this.#findSlow();
    this.#fill();
  }

  #findSlow(): void {
    const slowSinceMs = this.#parts.nowMs() - slowAfterMs;
    for (const entry of this.#underWay.values()) {
      if (entry.isSlow || entry.sinceMs > slowSinceMs) continue;
      entry.isSlow = true;
      this.#slow += 1;
    }
  }
}
