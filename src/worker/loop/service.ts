/**
 * What all connections of a process share: settings, the application, counters, the logs, and the way out.
 * The worker of a master and the one-process server each have one.
 */
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type {
  MovingConnection,
  RequestSummary,
  RequestUnderWay,
  ServingStats,
} from '../../shared/protocol/messages.ts';
import type { PassedHandle, Transport } from '../../shared/node-private/node-private.ts';
import type { ServerSettings } from '../../shared/options/table.ts';
import type { AccessLog } from '../access-log/access-log.ts';
import { refusedRequest } from '../access-log/refused.ts';
import { Admission } from '../request/admission.ts';
import { countAnswer, noAnswers } from '../limits/answer-counts.ts';
import type { Arrival } from '../accepting/arrival.ts';
import { Clock, realTime } from '../transport/clock.ts';
import type { TimeSource } from '../transport/clock.ts';
import { Connection } from './connection.ts';
import type { DrainNotice, ResponseReport } from '../../shared/application.ts';
import type { EnvironDefaults, PeerFacts } from '../request/environ.ts';
import { ErrorLines } from '../request/error-lines.ts';
import type { Exchange } from './exchange.ts';
import { summariesOf, survey } from './exchange-reports.ts';
import type { RequestLine } from '../http/request-line.ts';
import { peerFacts } from '../transport/peer.ts';
import { ProxyGate } from '../proxies/proxy-gate.ts';
import { trustedProxiesOf } from '../proxies/forwarding.ts';
import type { TrustedProxies } from '../proxies/forwarding.ts';
import { RequestDeadlines, requestTimedOut } from '../request/request-deadlines.ts';
import type { RefusedSender } from '../request/refusal.ts';
import { RequestNaming } from '../request/request-id.ts';
import type { Mover } from '../migration/mover.ts';
import type { IdleConnection } from '../transport/idle.ts';
import type { Serving } from './serving.ts';
import { transportOf } from '../transport/stream-transport.ts';

/** Calls the application for an exchange; never throws. */
export type Handler = (exchange: Exchange) => void;

export interface ServiceOptions {
  settings: ServerSettings;
  handler: Handler;
  log: Logger;
  accessLog: AccessLog | undefined;
  multiprocess: boolean;
  /** called when the first request has been answered */
  onFirstAnswer?: (() => void) | undefined;
  /** another one than this machine's */
  time?: TimeSource;
}

/** Orders to drain whose times differ by less than this are one, told twice. */
const sameDrainMs = 1000;

/** Of one that is complete, or was answered when its time was over, only the client keeps us waiting. */
function isOpen(exchange: Exchange | undefined): exchange is Exchange {
  return exchange !== undefined && !exchange.isOver && exchange.state !== 'complete' && !exchange.isExpired;
}

/** One whose socket was taken over is a connection, but no request any more. */
function isUnderWay({ state }: Exchange): boolean {
  return state !== 'taken';
}

export class Service implements Serving {
  readonly takesRaw = true;
  readonly settings: ServerSettings;
  readonly log: Logger;
  readonly http10Only: boolean;
  readonly admission: Admission;
  readonly environDefaults: EnvironDefaults;
  readonly clock: Clock;
  /** undefined when nobody is trusted */
  readonly trustedProxies: TrustedProxies | undefined;
  readonly naming: RequestNaming;
  readonly proxyGate: ProxyGate | undefined;
  readonly #handler: Handler;
  readonly #accessLog: AccessLog | undefined;
  readonly #onFirstAnswer: ServiceOptions['onFirstAnswer'];
  readonly #connections = new Set<Connection>();
  readonly #requestDeadlines: RequestDeadlines<Exchange> | undefined;
  #drainByMs: number | undefined;
  #mover: Mover | undefined;
  #closesIdle = false;
  #closedUnannounced = 0;
  #stopped = false;
  #requests = 0;
  #active = 0;
  readonly #answers = noAnswers();
  #pendingHooks = 0;
  #onChange: () => void = () => {};

  constructor(options: ServiceOptions) {
    this.settings = options.settings;
    this.log = options.log;
    this.http10Only = options.settings.maxHttpVersion === 'HTTP/1.0';
    this.admission = new Admission(options.settings);
    this.#handler = options.handler;
    this.#accessLog = options.accessLog;
    this.#onFirstAnswer = options.onFirstAnswer;
    const { time = realTime } = options;
    this.clock = new Clock(this.#connections, time);
    this.trustedProxies = trustedProxiesOf(options.settings);
    this.naming = new RequestNaming(options.settings);
    this.proxyGate = ProxyGate.of(options.settings, options.log, () => this.#onChange(), time);
    const { requestTimeoutMs } = options.settings;
    this.#requestDeadlines = RequestDeadlines.of(requestTimeoutMs, () => this.#underWay(), this.#timeOut, time);
    this.environDefaults = {
      errors: new ErrorLines(options.log),
      multiprocess: options.multiprocess,
      extra: options.settings.environ,
    };
  }

  /** Serves a connection that was just accepted. */
  accept(transport: Transport, arrival: Arrival): void {
    // A TLS handshake may end after everything else has.
    if (this.#stopped) {
      transport.destroy();
      return;
    }
    const connection = this.#add(transport, peerFacts(transport, arrival));
    if (arrival.rest !== undefined) connection.continueWith(arrival.rest, 0);
  }

  /** Serves a connection that was served before: by another process, or here until it was to move. */
  take(transport: Transport, peer: PeerFacts, rest: Buffer, requests: number): void {
    this.#add(transport, peer).continueWith(rest, requests);
  }

  adopt({ peer, requests = 0, rest = '' }: MovingConnection, handle: PassedHandle): void {
    this.take(transportOf(handle), peer, Buffer.from(rest, 'base64'), requests);
  }

  #add(transport: Transport, peer: PeerFacts): Connection {
    const connection = new Connection(this, transport, peer);
    this.clock.start();
    this.#connections.add(connection);
    this.#onChange();
    return connection;
  }

  /** set once connections may move to another process */
  get mover(): Mover | undefined {
    return this.#mover;
  }

  get isDraining(): boolean {
    return this.#drainByMs !== undefined;
  }
  get closesIdle(): boolean {
    return this.#closesIdle;
  }
  get activeRequests(): number {
    return this.#active;
  }
  get stats(): ServingStats {
    return {
      connections: this.#connections.size + (this.proxyGate?.waiting ?? 0),
      activeRequests: this.#active,
      requests: this.#requests,
      pendingHooks: this.#pendingHooks,
      ...this.#answers,
    };
  }
  /** Nothing is left to do: no connection, no hook. */
  get isEmpty(): boolean {
    return this.#connections.size === 0 && this.#pendingHooks === 0 && !this.proxyGate?.waiting;
  }
  /** Calls back whenever a connection came or went, or a hook ended. */
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }
  *#open(): Iterable<Exchange> {
    for (const { exchange } of this.#connections) if (isOpen(exchange)) yield exchange;
  }
  *#underWay(): Iterable<Exchange> {
    for (const exchange of this.#open()) if (isUnderWay(exchange)) yield exchange;
  }
  readonly #timeOut = (exchange: Exchange): void => {
    // The application may have taken its socket when another one was timed out.
    if (!isUnderWay(exchange)) return;
    const ageMs = Math.round(performance.now() - exchange.startedMs);
    this.log.warn('request.timed-out', { ...exchange.logFields, peer: exchange.peer.remoteAddress, ageMs });
    exchange.timeOut(requestTimedOut());
  };
  lastWords(): void {
    for (const exchange of this.#open()) exchange.account('cut');
    this.#accessLog?.writeNow();
  }
  survey(olderThanMs: number, most: number): RequestUnderWay[] {
    return survey(this.#underWay(), this.#accessLog, olderThanMs, most);
  }
  requestsUnderWay(): RequestSummary[] {
    return summariesOf(this.#underWay());
  }

  /** From now on each response is the last of its connection, unless that moves. */
  drain(graceMs: number): void {
    const byMs = performance.now() + graceMs;
    if (this.#drainByMs !== undefined && byMs > this.#drainByMs - sameDrainMs) return;
    this.#drainByMs = byMs;
    for (const { takenSocket } of this.#connections) if (takenSocket !== undefined) this.announceDrain(takenSocket);
  }
  moveWith(mover: Mover): void {
    this.#mover = mover;
    for (const connection of this.#connections) connection.offer();
  }
  /** Tells whoever took a socket over how long it has. */
  announceDrain(socket: Socket): void {
    const notice: DrainNotice = { graceMs: Math.max(0, Math.round(this.#drainByMs! - performance.now())) };
    socket.emit('evy:drain', notice);
  }
  /** Closes what is idle, now and whenever a connection becomes so. */
  closeIdle(): void {
    this.#closesIdle = true;
    this.proxyGate?.closeAll();
    for (const connection of this.#connections) {
      if (connection.isIdle) connection.closeUnannounced();
    }
  }
  *idleConnections(): Iterable<IdleConnection> {
    for (const connection of this.#connections) if (connection.isStillIdle) yield connection;
    if (this.proxyGate !== undefined) yield* this.proxyGate.idle();
  }
  get closedIdle(): number {
    return this.#closedUnannounced + (this.proxyGate?.closedUnannounced ?? 0);
  }
  destroyBusy(): RequestSummary[] {
    const cut = summariesOf(this.#open());
    for (const connection of this.#connections) if (isOpen(connection.exchange)) connection.destroy();
    return cut;
  }
  destroyAll(): void {
    this.proxyGate?.closeAll();
    for (const connection of this.#connections) connection.destroy();
  }
  async stop(): Promise<void> {
    this.#stopped = true;
    this.proxyGate?.closeAll();
    this.clock.stop();
    this.#requestDeadlines?.stop();
    await this.#accessLog?.close();
  }
  reopenLogs(): void {
    this.#accessLog?.reopen();
  }

  // ---- what connections and exchanges report

  begun(): void {
    this.#requests += 1;
    this.#active += 1;
  }
  call(exchange: Exchange): void {
    this.#handler(exchange);
  }
  answered(): void {
    this.#active -= 1;
  }
  closedUnannounced(): void {
    this.#closedUnannounced += 1;
  }
  closed(connection: Connection): void {
    this.#connections.delete(connection);
    this.#mover?.forget(connection);
    this.#onChange();
  }
  settled(exchange: Exchange, report: ResponseReport, bodyBytes: number): void {
    if (countAnswer(this.#answers, report.status)) this.#onFirstAnswer?.();
    this.#accessLog?.write(exchange, report, bodyBytes);
  }
  /** The answer to a request that no exchange was made for. */
  answeredRefusal(code: ErrorCode, sender: RefusedSender, line: RequestLine, response: string): void {
    if (this.#accessLog === undefined) return;
    const { request, report, bodyBytes } = refusedRequest(code, sender, line, response);
    this.#accessLog.write(request, report, bodyBytes);
  }
  refused(code: ErrorCode, peer: string, request: Partial<Pick<Exchange, 'summary' | 'names'>>): void {
    this.log.info('request.refused', { code, peer, request: request.summary, ...request.names });
  }
  /** A client that takes nothing more of its answer has lost its connection. */
  cut(peer: string): void {
    this.log.info('connection.cut', { code: 'REQUEST_CUT', peer });
  }
  /** A post hook's promise: the process does not end before it. */
  track(promise: Promise<void>): void {
    this.#pendingHooks += 1;
    void promise.then(() => {
      this.#pendingHooks -= 1;
      this.#onChange();
    });
  }
}
