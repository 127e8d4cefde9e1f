/**
 * Pauses listening sockets while the process has as many connections as it may have, or is on standby. Clients that it
 * does not accept wait in the kernel's backlog, where another worker may accept them.
 */
import type { Server } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from '../../shared/log/log.ts';
import { acceptGate } from '../../shared/node-private/node-private.ts';
import type { AcceptGate } from '../../shared/node-private/node-private.ts';
import type { Usage } from '../../shared/protocol/guarding.ts';
import { firstToGiveWay } from '../transport/idle.ts';
import type { Candidate, IdleConnection } from '../transport/idle.ts';
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
/** The search for connections that give way takes at most this share of the time. */
const searchShare = 0.05;
/** One search looks at all idle connections, so it finds this many at once. */
const candidatesPerSearch = 32;
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
  /** Only servers that listen have one. */
  readonly #gates = new Map<Server, AcceptGate | undefined>();
  #resting = false;
  #closed = false;
  /** Connections that may be accepted above the limit, each in exchange for one that gives way. */
  #extra = 0;
  /** Connections found by the last search; the first one gives way next. */
  #candidates: Candidate[] = [];
  /** The time that searching has taken since the last knock. */
  #searchedMs = 0;
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
    intake.onWaiting(() => this.#set());
    // It may be full before the servers listen. The event precedes the first accepted connection.
    for (const server of servers) server.once('listening', () => this.#apply());
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
      this.#apply();
    }
    this.#lookForWaiting(knockEveryMs);
  }

  #apply(): void {
    for (const server of this.#servers) {
      if (server.listening && !this.#gates.has(server)) this.#gates.set(server, acceptGate(server));
      const gate = this.#gates.get(server);
      if (this.#closed) gate?.pause();
      else gate?.resume();
    }
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
    this.#searchedMs = 0;
    // Those that have had a request stay the longest idle ones. The others are closed only when no such one is idle.
    this.#candidates = this.#candidates.filter(({ connection }) => connection.hasAsked);
    const maySearch = () => this.#searchedMs <= searchShare * (performance.now() - startedMs);
    while (this.#mightSwap && (this.#nextFound() !== undefined || maySearch()) && (await this.#swapOne()));
    this.#knock = undefined;
    this.#lookForWaiting(Math.max(knockEveryMs, this.#searchedMs / searchShare));
  }

  /** Returns whether a client that waited was accepted. */
  async #swapOne(): Promise<boolean> {
    const hasDescriptors = this.#most - this.#count + this.#keptDescriptors >= descriptorsToSwap;
    if (!hasDescriptors || this.#next() === undefined) return false;
    const { accepted } = this.intake;
    this.#extra = Math.max(0, this.#count + 1 - this.#limitNow);
    this.#set();
    // Waiting connections are accepted in between.
    await setImmediate();
    this.#extra = 0;
    const came = this.intake.accepted - accepted;
    for (let count = 0; count < came; count += 1) {
      this.#next()?.giveWay();
      this.#candidates.shift();
    }
    this.#set();
    // After this the connection that gave way is closed.
    if (came > 0) await setImmediate();
    return came > 0;
  }

  #next(): IdleConnection | undefined {
    return this.#nextFound() ?? this.#search();
  }

  /** Returns the first candidate that has been idle since the search. */
  #nextFound(): IdleConnection | undefined {
    const first = this.#candidates.findIndex(
      ({ connection, bytesRead }) => connection.isStillIdle && connection.bytesRead === bytesRead,
    );
    this.#candidates.splice(0, first === -1 ? Infinity : first);
    return this.#candidates[0]?.connection;
  }

  #search(): IdleConnection | undefined {
    const startedMs = performance.now();
    this.#candidates = firstToGiveWay(this.#idle() ?? [], candidatesPerSearch);
    this.#searchedMs += performance.now() - startedMs;
    return this.#candidates[0]?.connection;
  }
}
