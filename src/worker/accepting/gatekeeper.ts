/**
 * Pauses listening sockets while the process has as many connections as it may have, or is on standby. Clients that it
 * does not accept wait in the kernel's backlog, where another worker may accept them.
 */
import type { Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from '../../shared/log/log.ts';
import { acceptGate } from '../../shared/node-private/node-private.ts';
import type { Usage } from '../../shared/protocol/guarding.ts';
import { firstToGiveWay } from '../transport/idle.ts';
import type { IdleConnection } from '../transport/idle.ts';
import { Handshakes } from './pending-handshakes.ts';
import { Intake } from './intake.ts';

/** Connections that may be accepted before the free descriptors are counted again. */
const connectionsPerLook = 8;

export interface GatekeeperParts {
  readonly intake?: Intake;
  /** Connections that may give way to new ones; undefined where that is not known. */
  readonly idle?: () => Iterable<IdleConnection> | undefined;
}

/**
 * While it is full, it checks for waiting clients at this interval; within it another worker would have accepted them.
 */
const knockEveryMs = 20;
/** The search for a connection that gives way takes at most this share of the time. */
const searchShare = 0.05;
/**
 * A new connection needs a descriptor before the one that gives way has closed its own, and the process may need one at
 * the same moment.
 */
const descriptorsToSwap = 2;

/**
 * Pauses accepting while connections and TLS handshakes together reach the option's limit (`limit`), this worker's
 * share of the whole server's limit, or the number of free descriptors, and while the worker is on standby. When a
 * client waits that no other worker accepts, and a connection here has no request, it accepts the client and closes the
 * longest idle connection in exchange.
 */
export class Gatekeeper {
  readonly #servers: readonly Server[];
  readonly #limit: number;
  readonly handshakes: Handshakes;
  readonly intake: Intake;
  readonly #idle: () => Iterable<IdleConnection> | undefined;
  #connections = 0;
  #share = Infinity;
  #room: (() => number) | undefined;
  #keptDescriptors = 0;
  /** The number of connections allowed as of the last check, and the number at which to check again. */
  #most = Infinity;
  #lookAt = Infinity;
  #gates: Array<{ pause(): void; resume(): void }> | undefined;
  #resting = false;
  #closed = false;
  /** Connections that may be accepted above the limit, each in exchange for one that gives way. */
  #extra = 0;
  #candidate: IdleConnection | undefined;
  #knock: NodeJS.Timeout | undefined;

  constructor(
    servers: readonly Server[],
    limit: number,
    log: Logger,
    { intake = new Intake(), idle = () => [] }: GatekeeperParts = {},
  ) {
    this.#servers = servers;
    this.#limit = limit;
    this.intake = intake;
    this.#idle = idle;
    this.handshakes = new Handshakes(servers, log);
    this.handshakes.onChange(() => this.#set());
  }

  /** `connections`: the number of served connections. */
  update(connections: number): void {
    this.#connections = connections;
    this.#set();
  }

  /** Sets this worker's share of the whole server's limit. */
  allow(share: number): void {
    this.#share = share;
    this.#set();
  }

  /**
   * `room` returns how many more connections are possible while `kept` descriptors stay free. It is called at each
   * check and after every few connections.
   */
  ask(room: () => number, kept = 0): void {
    this.#room = room;
    this.#keptDescriptors = kept;
    this.look();
  }

  look(): void {
    this.#measure();
    this.#set();
  }

  #measure(): void {
    const room = this.#room?.() ?? Infinity;
    const now = this.#count;
    this.#most = now + room;
    this.#lookAt = now + Math.min(room, connectionsPerLook);
  }

  get #count(): number {
    return this.#connections + this.handshakes.count + this.intake.waiting;
  }

  usage(connections: number): Usage {
    const now = connections + this.handshakes.count;
    const isShort = now >= this.#share && this.#share < Math.min(this.#limit, this.#most) && !this.#resting;
    return { now, wanted: isShort ? now + 1 : now, isShort };
  }

  /** Whether to accept nothing, regardless of the number of connections. */
  rest(resting: boolean): void {
    this.#resting = resting;
    this.#set();
  }

  /** Whether it is on standby. */
  get isResting(): boolean {
    return this.#resting;
  }
  /** Whether new connections must wait for others to end. */
  get isFull(): boolean {
    return this.#closed && !this.#resting;
  }

  #set(): void {
    if (this.#count >= this.#lookAt) this.#measure();
    const close = this.#resting || this.#count >= this.#limitNow + this.#extra;
    if (close !== this.#closed) {
      this.#closed = close;
      this.#gates ??= this.#servers.map((server) => acceptGate(server)).filter((gate) => gate !== undefined);
      for (const gate of this.#gates) {
        if (close) gate.pause();
        else gate.resume();
      }
    }
    this.#lookForWaiting(knockEveryMs);
  }

  get #limitNow(): number {
    return Math.min(this.#limit, this.#share, this.#most);
  }

  #lookForWaiting(inMs: number): void {
    if (this.#knock !== undefined || !this.#mightSwap) return;
    this.#knock = setTimeout(() => void this.#swap(), inMs).unref();
  }

  get #mightSwap(): boolean {
    return this.isFull && this.#count > 0 && this.#share >= 1 && this.#servers.some(({ listening }) => listening);
  }

  /** Accepts waiting clients one by one, as long as a connection gives way. */
  async #swap(): Promise<void> {
    const startedMs = performance.now();
    this.#findCandidate();
    const searchMs = performance.now() - startedMs;
    while (this.#mightSwap && (await this.#swapOne()));
    this.#knock = undefined;
    this.#lookForWaiting(Math.max(knockEveryMs, searchMs / searchShare));
  }

  /** Returns whether a client that waited was accepted. */
  async #swapOne(): Promise<boolean> {
    const hasDescriptors = this.#most - this.#count + this.#keptDescriptors >= descriptorsToSwap;
    if (!hasDescriptors || this.#findCandidate() === undefined) return false;
    const { accepted } = this.intake;
    this.#extra = Math.max(0, this.#count + 1 - this.#limitNow);
    this.#set();
    // Waiting connections are accepted in between.
    await setImmediate();
    this.#extra = 0;
    const came = this.intake.accepted - accepted;
    for (let count = 0; count < came; count += 1) {
      this.#findCandidate()?.giveWay();
      this.#candidate = undefined;
    }
    this.#set();
    // After this the connection that gave way is closed.
    if (came > 0) await setImmediate();
    return came > 0;
  }

  /**
   * The last candidate stays the longest idle connection while it is idle, unless it has had no request: others may
   * have had one since.
   */
  #findCandidate(): IdleConnection | undefined {
    if (this.#candidate?.hasAsked === true && this.#candidate.isStillIdle) return this.#candidate;
    this.#candidate = firstToGiveWay(this.#idle() ?? []);
    return this.#candidate;
  }
}
