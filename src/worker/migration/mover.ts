/**
 * Moves the connections of a worker that retires to other workers, by way of the master.
 *
 * A few are in flight at a time: only those are not served meanwhile, and more would not be faster, since a channel carries one
 * descriptor at a time. All others are served as before until their turn. A copy of each that has left is kept, unread, until
 * the other side has confirmed it; closing the copy is close(2) alone, which the client does not see.
 *
 * A receiver that does not answer (it is stopped, or its loop is blocked) must not hold up the others: its connections count as slow
 * and leave the window, and the next ones go elsewhere. They are not taken back, since they may be read there at any moment.
 */
import type { MovingConnection, MovingToMaster, MovingToWorker } from '../../shared/protocol/messages.ts';
import type { PassedHandle, Transport } from '../../shared/node-private/node-private.ts';
import type { PeerFacts } from '../transport/peer.ts';

/** A connection that has been taken out of service. */
export interface DetachedConnection {
  readonly handle: PassedHandle;
  readonly connection: MovingConnection;
  /** Another process serves it: closes the copy that is kept here. */
  drop(): void;
  /** No other process has it: serves it on here. */
  resume(): void;
}

export interface Movable {
  /** Identifies the connection, whatever serves it. */
  readonly transport: object;
  /** Takes it out of service; undefined when it has something to do at this moment. */
  detach(): DetachedConnection | undefined;
}

export interface ServedConnection {
  readonly transport: Transport;
  readonly peer: PeerFacts;
  /** Requests that it has had. */
  readonly requests: number;
  /** The bytes that wait to be parsed. */
  readonly takeRest: () => Buffer;
  /** Serves it again, here. */
  readonly resume: (rest: Buffer) => void;
}

/**
 * Takes a connection of our own loop out of service, with every byte of it that is here. Returns undefined, with nothing changed,
 * when Node does not let go of it.
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
  /** `written` is called when the message has left, or with an error when it cannot. */
  send(message: MovingToMaster, handle?: PassedHandle, written?: (error: Error | null) => void): void;
  nowMs(): number;
}

/** Connections in flight at a time, without the slow ones. */
const windowSize = 6;
/** A connection that is unconfirmed for this long is slow. By then the master has noticed that its target is silent. */
export const slowAfterMs = 750;
/** Connections in flight in all; none of them is served meanwhile. */
const mostUnderWay = 64;
/** Connections that may leave without any confirmation: when nothing is confirmed, more would only wait, too. */
const mostUnanswered = 2 * windowSize;
/** When nothing has been confirmed for this long, the master is asked what it received. */
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
  /** 'waiting': no order yet, or nowhere to go for now. 'stopped' is final. */
  #state: State = 'waiting';
  #announceAtMs = Infinity;
  #lastId = 0;
  /** Slow connections among those in flight, and connections that left since the last confirmation. */
  #slow = 0;
  #unanswered = 0;
  #hasProgressed = false;
  #isDetaching = false;
  #timer: NodeJS.Timeout | undefined;
  #onChange: () => void = () => {};

  constructor(parts: MoverParts) {
    this.#parts = parts;
  }

  /** True only when nothing is in flight and no connection is being detached. */
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
   * There is a worker to move to ('move'), or there will be one ('wait'). In the first half of the grace time no connection that may still
   * move is told to close.
   */
  order(what: 'move' | 'wait', graceMs: number): void {
    this.#announceAtMs = Math.min(this.#announceAtMs, this.#parts.nowMs() + graceMs / 2);
    if (what === 'move' && this.#state === 'waiting') this.#state = 'moving';
    this.#fill();
  }

  /** No further connection leaves; those in flight are still waited for. */
  stop(): void {
    this.#state = 'stopped';
    this.#queue.clear();
  }

  /** Whether this connection can be expected to move, so that its next response need not be its last. */
  expects(transport: object): boolean {
    return this.#state !== 'stopped' && this.mayMove(transport) && this.#parts.nowMs() < this.#announceAtMs;
  }

  mayMove(transport: object): boolean {
    return (this.#failures.get(transport) ?? 0) < mostFailures;
  }

  /** Returns whether it has left. Otherwise it is to be served on: it gets its turn, and may be offered again. */
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

  /** It has ended. */
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
        // What was sent here was either adopted at once or refused.
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
   * The channel is closed. Connections that have left may be read by another process, so they must not be read here; those that have not
   * left are served on.
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
    this.#timer ??= setInterval(() => this.#look(), syncAfterMs).unref();
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

  #look(): void {
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
