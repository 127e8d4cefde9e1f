/**
 * Serves a `(req, res)` application (Express, Koa's callback) with node:http, on connections that evy accepted.
 * Draining, refusals and post hooks work as on evy's own loop.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type {
  MovingConnection,
  RequestSummary,
  RequestUnderWay,
  ServingStats,
} from '../../shared/protocol/messages.ts';
import type { PassedHandle, Transport } from '../../shared/node-private/node-private.ts';
import { Preview } from '../access-log/record.ts';
import { countAnswer, noAnswers } from '../loop/context.ts';
import type { ConnectionFacts } from '../transport/peer.ts';
import type { NodeListener } from '../../shared/application.ts';
import { interfaceHint } from './application-kind.ts';
import { ErrorLines } from '../request/environ.ts';
import type { IdleConnection } from '../transport/idle.ts';
import type { Mover } from '../migration/mover.ts';
import type { ServiceOptions, Serving } from '../loop/service.ts';
import { realTime, timerMs } from '../transport/clock.ts';
import { peerFacts } from '../transport/peer.ts';
import { ProxyGate } from '../proxies/proxy-gate.ts';
import { RequestDeadlines } from '../request/request-deadlines.ts';
import { RequestNaming } from '../request/request-id.ts';
import { NodeConnections } from './node-connections.ts';
import { NodeHooks } from './node-hooks.ts';
import { holdToLength } from './node-length.ts';
import { NodeRefusals } from './node-refusals.ts';
import { hooksOf } from './node-requests.ts';
import { NodeServer } from './node-server.ts';
import { endInstead, listenersOf } from './node-timeout.ts';

/** how often node:http checks for slow heads; 30 seconds by default */
const connectionsCheckingInterval = 1_000;

type NodeServiceOptions = Omit<ServiceOptions, 'handler'> & { listener: NodeListener };

/** Whether the client must send more of a body that there is room for, or read more of a response. */
function waitsForClient(request: IncomingMessage, socket: Socket): boolean {
  const wantsBody = !request.complete && request.readableLength < request.readableHighWaterMark;
  return wantsBody || socket.writableLength > 0;
}

export class NodeService implements Serving {
  readonly takesRaw = false;
  readonly #options: NodeServiceOptions;
  readonly #server: NodeServer;
  readonly #connections: NodeConnections;
  readonly #refusals: NodeRefusals;
  readonly #hookDefaults: ConstructorParameters<typeof NodeHooks>[3];
  readonly #naming: RequestNaming;
  readonly proxyGate: ProxyGate | undefined;
  readonly #preview: Preview;
  readonly #active = new Map<ServerResponse, NodeHooks>();
  readonly #requestDeadlines: RequestDeadlines<ServerResponse> | undefined;
  #requests = 0;
  #pendingHooks = 0;
  readonly #answers = noAnswers();
  #onChange: () => void = () => {};

  constructor(options: NodeServiceOptions) {
    this.#options = options;
    const { settings, log, accessLog, multiprocess, time = realTime } = options;
    const changed = (): void => this.#onChange();
    this.#naming = new RequestNaming(settings);
    this.#preview = new Preview(accessLog);
    this.proxyGate = ProxyGate.of(settings, log, changed, time);
    this.#requestDeadlines = RequestDeadlines.of(
      settings.requestTimeoutMs,
      () => this.#active.keys(),
      this.#timeOut,
      time,
    );
    const errors = new ErrorLines(log);
    this.#hookDefaults = { log, multiprocess, extra: settings.environ, errors, naming: this.#naming };
    this.#server = new NodeServer(
      {
        maxHeaderSize: settings.urlLengthLimit + settings.maxHeadBytes,
        headersTimeout: settings.headTimeoutMs,
        connectionsCheckingInterval,
        requestTimeout: 0,
        keepAliveTimeout: timerMs(settings.keepaliveMs),
        noDelay: true,
        // evy refuses these itself, so that they are logged.
        requireHostHeader: false,
      },
      this.#onRequest,
    );
    const busySockets = () => [...this.#active.values()].map(({ socket }) => socket);
    this.#connections = new NodeConnections({ settings, server: this.#server, busySockets, changed });
    this.#refusals = new NodeRefusals({
      settings,
      log,
      accessLog,
      naming: this.#naming,
      connections: this.#connections,
      hint: (error) => interfaceHint('node', options.listener, error),
      active: this.#active,
    });
    this.#server.on('checkContinue', this.#onExpectant).on('checkExpectation', this.#onRequest);
    this.#server.on('clientError', (error, socket) => this.#refusals.clientError(error, socket as Socket));
    this.#server.maxHeadersCount = settings.maxHeaders;
    this.#server.setTimeout(timerMs(settings.socketTimeoutMs), this.#onQuiet);
    // The server never listens itself; this event starts its checks of time-outs and idle connections.
    this.#server.emit('listening');
  }

  accept(transport: Transport, arrival: ConnectionFacts): void {
    const peer = peerFacts(transport, arrival);
    this.#connections.add(transport.intoSocket(arrival.rest), peer);
  }

  adopt(connection: MovingConnection, handle: PassedHandle): void {
    this.#connections.adopt(connection, handle);
  }

  /**
   * The socket was inactive for its time-out. Only a client that is waited for loses its connection; the application
   * may take its time.
   */
  readonly #onQuiet = (socket: Socket): void => {
    const response = Array.from(this.#active.keys()).find(({ req }) => req.socket === socket);
    if (response !== undefined && !waitsForClient(response.req, socket)) {
      socket.setTimeout(timerMs(this.#options.settings.socketTimeoutMs));
      return;
    }
    const peer = this.#connections.clientOf(socket)?.peer.remoteAddress;
    if (socket.writableLength > 0) this.#options.log.info('connection.cut', { code: 'REQUEST_CUT', peer });
    socket.destroy();
  };

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse, isWaiting = false): void => {
    const { socket } = request;
    const sender = this.#connections.clientOf(socket);
    if (sender === undefined) return;
    this.#server.hasAsked(socket);
    const hooks = new NodeHooks(request, response, sender, this.#hookDefaults);
    const fault = this.#refusals.faultOf(request, hooks, sender);
    if (fault !== undefined) {
      this.#refusals.refuse(fault, response, hooks, sender);
      return;
    }
    if (isWaiting) hooks.sendContinue();
    this.#requests += 1;
    if (this.#naming.sends) response.setHeader(this.#naming.header, hooks.requestId);
    this.#active.set(response, hooks);
    hooksOf.set(response, hooks);
    holdToLength(request, response, ({ code, bytes }) => {
      if (code === 'APP_SHORT_BODY') hooks.fail();
      this.#options.log.error('app.failed', { code, ...hooks.logFields, bytes });
    });
    this.#refusals.holdBody(request, response);
    if (this.#connections.isLast(socket, sender)) response.setHeader('Connection', 'close');
    response.once('close', () => {
      this.#active.delete(response);
      if (response.headersSent && countAnswer(this.#answers, response.statusCode)) this.#options.onFirstAnswer?.();
      this.#connections.responseOver(socket);
      this.#refusals.responseOver(socket);
      for (const promise of hooks.run(this.#options.accessLog)) this.#track(promise);
    });
    hooks.ownListeners = listenersOf(response);
    try {
      const result = this.#options.listener(request, response);
      if (result instanceof Promise) result.catch((thrown: unknown) => this.#refusals.fail(request, response, thrown));
    } catch (thrown) {
      this.#refusals.fail(request, response, thrown);
    }
  };

  /** A request with `Expect: 100-continue`, which gets no 100 when it is refused. */
  readonly #onExpectant = (request: IncomingMessage, response: ServerResponse): void =>
    this.#onRequest(request, response, true);

  readonly #timeOut = (response: ServerResponse): void => {
    const hooks = this.#active.get(response)!;
    // A complete response waits only for the client, which has its own time-outs.
    if (hooks.isExpired || response.writableEnded) return;
    const { peer, ageMs } = hooks.summary();
    this.#options.log.warn('request.timed-out', { ...hooks.logFields, peer, ageMs });
    const kept = ['Connection', ...(this.#naming.sends ? [this.#naming.header] : [])];
    endInstead(response, hooks.ownListeners, { status: 504, kept, text: 'Gateway Timeout\n' });
    hooks.expire();
  };

  #track(promise: Promise<void>): void {
    this.#pendingHooks += 1;
    void promise.then(() => {
      this.#pendingHooks -= 1;
      this.#onChange();
    });
  }

  get activeRequests(): number {
    return this.#active.size;
  }
  get stats(): ServingStats {
    return {
      connections: this.#connections.count + (this.proxyGate?.waiting ?? 0),
      activeRequests: this.#active.size,
      requests: this.#requests,
      pendingHooks: this.#pendingHooks,
      ...this.#answers,
    };
  }
  get isEmpty(): boolean {
    return this.#connections.count === 0 && this.#pendingHooks === 0 && !this.proxyGate?.waiting;
  }
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }
  requestsUnderWay(): RequestSummary[] {
    return [...this.#active.values()].map((hooks) => hooks.summary()).toSorted((a, b) => b.ageMs - a.ageMs);
  }
  survey(olderThanMs: number, most: number): RequestUnderWay[] {
    const all = [...this.#active.values()].map((hooks) => ({ hooks, summary: hooks.summary() }));
    const old = all.filter(({ summary }) => summary.ageMs > olderThanMs);
    const oldest = old.toSorted((a, b) => b.summary.ageMs - a.summary.ageMs).slice(0, most);
    return oldest.map(({ hooks, summary }) => {
      return { ...summary, line: this.#preview.lineOf(() => hooks.lastWords(this.#preview)) };
    });
  }
  lastWords(): void {
    for (const hooks of this.#active.values()) hooks.lastWords(this.#options.accessLog);
    this.#options.accessLog?.writeNow();
  }
  drain(): void {
    this.#connections.drain();
    for (const [response, { socket }] of this.#active) {
      if (!response.headersSent && !this.#connections.mayStay(socket)) response.setHeader('Connection', 'close');
    }
  }
  moveWith(mover: Mover): void {
    this.#connections.moveWith(mover);
  }
  closeIdle(): void {
    this.proxyGate?.closeAll();
    this.#connections.closeIdle();
  }
  idleConnections(): Iterable<IdleConnection> | undefined {
    const served = this.#connections.idle();
    return served && [...served, ...(this.proxyGate?.idle() ?? [])];
  }
  get closedIdle(): number {
    return this.#connections.closedIdle + (this.proxyGate?.closedUnannounced ?? 0);
  }
  destroyBusy(): RequestSummary[] {
    const cut = this.requestsUnderWay();
    for (const { socket } of this.#active.values()) socket.destroy();
    return cut;
  }
  destroyAll(): void {
    this.proxyGate?.closeAll();
    this.#connections.destroyAll();
  }
  reopenLogs(): void {
    this.#options.accessLog?.reopen();
  }
  async stop(): Promise<void> {
    this.proxyGate?.closeAll();
    this.#connections.stop();
    this.#requestDeadlines?.stop();
    this.#server.close();
    await this.#options.accessLog?.close();
  }
}
