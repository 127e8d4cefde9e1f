/**
 * The connections that evy's own loop serves in a process, and the operations on all of them: counting, draining,
 * moving, closing. A worker of a master and the one-process server each have one. `Serving` is the interface of any
 * loop.
 */
import { performance } from 'node:perf_hooks';
import type {
  MovingConnection,
  RequestSummary,
  RequestUnderWay,
  ServingStats,
} from '../../shared/protocol/messages.ts';
import type { PassedHandle, Transport } from '../../shared/node-private/node-private.ts';
import type { Acceptor } from '../accepting/make-server.ts';
import { Preview } from '../access-log/record.ts';
import type { Mover } from '../migration/mover.ts';
import { ProxyGate } from '../proxies/proxy-gate.ts';
import { RequestDeadlines, requestTimedOut } from '../request/request-deadlines.ts';
import { realTime } from '../transport/clock.ts';
import type { IdleConnection } from '../transport/idle.ts';
import { peerFacts } from '../transport/peer.ts';
import type { ConnectionFacts, PeerFacts } from '../transport/peer.ts';
import { transportOf } from '../transport/stream-transport.ts';
import { Connection } from './connection.ts';
import type { ConnectionKeeper } from './connection.ts';
import { LoopContext } from './context.ts';
import type { LoopOptions } from './context.ts';
import type { Exchange, Handler } from './exchange.ts';

/** A loop that serves accepted connections: evy's own (Service) or node:http (NodeService). */
export interface Serving extends Acceptor {
  readonly stats: ServingStats;
  /** The same number as in `stats`. */
  readonly activeRequests: number;
  /** Whether no connection and no post hook is left. */
  readonly isEmpty: boolean;
  /** Calls back whenever `isEmpty` or the number of connections may have changed. */
  onChange(callback: () => void): void;
  /** The active requests, oldest first, without those whose socket the application took over. */
  requestsUnderWay(): RequestSummary[];
  /**
   * The active requests older than `olderThanMs`, at most `most`, each with the access line that it would get if it
   * were cut now.
   */
  survey(olderThanMs: number, most: number): RequestUnderWay[];
  /** The process is about to be killed: writes the access lines of active requests immediately. No hook runs. */
  lastWords(): void;
  /** Serves a connection from another process. */
  adopt(connection: MovingConnection, handle: PassedHandle): void;
  /**
   * From now on each response is the last one of its connection, unless the connection moves. A later order can only be
   * stricter.
   */
  drain(graceMs: number): void;
  /**
   * Lets connections move: idle ones immediately, others after their response. Called again when there is a target
   * again.
   */
  moveWith(mover: Mover): void;
  /** Closes idle connections, now and whenever one becomes idle. */
  closeIdle(): void;
  /** The connections that are idle now; undefined where node:http does not tell. */
  idleConnections(): Iterable<IdleConnection> | undefined;
  /** Idle connections that were closed without an announcement to their clients. */
  readonly closedIdle: number;
  /** Cuts active requests and taken sockets, and returns them. Connections that are closing are left alone. */
  destroyBusy(): RequestSummary[];
  destroyAll(): void;
  reopenLogs(): void;
  /** Writes buffered output, and stops. */
  stop(): Promise<void>;
}

export interface ServiceOptions extends LoopOptions {
  handler: Handler;
}

/** Oldest first. */
function summariesOf(exchanges: Iterable<Exchange>): RequestSummary[] {
  const nowMs = performance.now();
  const found = Array.from(exchanges, (exchange) => exchange.brief(nowMs));
  return found.toSorted((a, b) => b.ageMs - a.ageMs);
}

export class Service implements Serving, ConnectionKeeper {
  readonly takesRaw = true;
  readonly proxyGate: ProxyGate | undefined;
  readonly handler: Handler;
  readonly #context: LoopContext;
  readonly #connections = new Set<Connection>();
  readonly #requestDeadlines: RequestDeadlines<Exchange> | undefined;
  #stopped = false;

  constructor(options: ServiceOptions) {
    const { settings, log, time = realTime } = options;
    this.handler = options.handler;
    const context = new LoopContext(options, this.#connections);
    this.#context = context;
    this.proxyGate = ProxyGate.of(settings, log, () => context.onChange(), time);
    this.#requestDeadlines = RequestDeadlines.of(
      settings.requestTimeoutMs,
      () => this.#underWay(),
      this.#timeOut,
      time,
    );
  }

  // ---- connections come and go

  /** Serves a connection that was just accepted. */
  accept(transport: Transport, facts: ConnectionFacts): void {
    // A TLS handshake may complete after everything else has ended.
    if (this.#stopped) {
      transport.destroy();
      return;
    }
    const connection = this.#add(transport, peerFacts(transport, facts));
    if (facts.rest !== undefined) connection.continueWith(facts.rest, 0);
  }

  resume(transport: Transport, peer: PeerFacts, rest: Buffer, requests: number): void {
    this.#add(transport, peer).continueWith(rest, requests);
  }

  adopt({ peer, requests = 0, rest = '' }: MovingConnection, handle: PassedHandle): void {
    this.resume(transportOf(handle), peer, Buffer.from(rest, 'base64'), requests);
  }

  #add(transport: Transport, peer: PeerFacts): Connection {
    const connection = new Connection(this.#context, this, transport, peer);
    this.#context.clock.start();
    this.#connections.add(connection);
    this.#context.onChange();
    return connection;
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.#context.mover?.forget(connection);
    this.#context.onChange();
  }

  // ---- counts and reports

  get activeRequests(): number {
    return this.#context.activeRequests;
  }
  get stats(): ServingStats {
    const { activeRequests, requests, pendingHooks, answers } = this.#context;
    const connections = this.#connections.size + (this.proxyGate?.waiting ?? 0);
    return { connections, activeRequests, requests, pendingHooks, ...answers };
  }
  get isEmpty(): boolean {
    return this.#connections.size === 0 && this.#context.pendingHooks === 0 && !this.proxyGate?.waiting;
  }
  get closedIdle(): number {
    return this.#context.closedUnannounced + (this.proxyGate?.closedUnannounced ?? 0);
  }
  onChange(callback: () => void): void {
    this.#context.onChange = callback;
  }

  *#open(): Iterable<Exchange> {
    for (const { exchange } of this.#connections) if (exchange?.isOpen === true) yield exchange;
  }
  /** A taken socket is not an active request any more. */
  *#underWay(): Iterable<Exchange> {
    for (const exchange of this.#open()) if (exchange.state !== 'taken') yield exchange;
  }

  readonly #timeOut = (exchange: Exchange): void => {
    // The application may have taken the socket of one request when another timed out.
    if (!exchange.isOpen || exchange.state === 'taken') return;
    const ageMs = Math.round(performance.now() - exchange.startedMs);
    this.#context.log.warn('request.timed-out', { ...exchange.logFields, peer: exchange.peer.remoteAddress, ageMs });
    exchange.timeOut(requestTimedOut());
  };

  requestsUnderWay(): RequestSummary[] {
    return summariesOf(this.#underWay());
  }

  survey(olderThanMs: number, most: number): RequestUnderWay[] {
    const nowMs = performance.now();
    const preview = new Preview(this.#context.accessLog);
    const old = [...this.#underWay()].filter(({ startedMs }) => nowMs - startedMs > olderThanMs);
    const oldest = old.toSorted((a, b) => a.startedMs - b.startedMs).slice(0, most);
    return oldest.map((exchange) => {
      const line = preview.lineOf(() => exchange.account('cut', preview));
      return { ...exchange.brief(nowMs), line };
    });
  }

  lastWords(): void {
    for (const exchange of this.#open()) exchange.account('cut');
    this.#context.accessLog?.writeNow();
  }

  // ---- orders of the process

  drain(graceMs: number): void {
    if (!this.#context.drain(graceMs)) return;
    for (const { takenSocket } of this.#connections) {
      if (takenSocket !== undefined) this.#context.announceDrain(takenSocket);
    }
  }

  moveWith(mover: Mover): void {
    this.#context.mover = mover;
    for (const connection of this.#connections) connection.offer();
  }

  closeIdle(): void {
    this.#context.closesIdle = true;
    this.proxyGate?.closeAll();
    for (const connection of this.#connections) if (connection.isIdle) connection.closeUnannounced();
  }

  *idleConnections(): Iterable<IdleConnection> {
    for (const connection of this.#connections) if (connection.isStillIdle) yield connection;
    if (this.proxyGate !== undefined) yield* this.proxyGate.idle();
  }

  destroyBusy(): RequestSummary[] {
    const cut = summariesOf(this.#open());
    for (const connection of this.#connections) if (connection.exchange?.isOpen === true) connection.destroy();
    return cut;
  }

  destroyAll(): void {
    this.proxyGate?.closeAll();
    for (const connection of this.#connections) connection.destroy();
  }

  reopenLogs(): void {
    this.#context.accessLog?.reopen();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.proxyGate?.closeAll();
    this.#context.clock.stop();
    this.#requestDeadlines?.stop();
    await this.#context.accessLog?.close();
  }
}
