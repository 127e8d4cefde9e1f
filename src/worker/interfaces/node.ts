/**
 * Serves a `(req, res)` listener - Express, Koa's callback - with node:http, on the connections that we accepted.
 * Draining and post hooks work as on our own loop.
 */
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorTable, toError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { MovingConnection, RequestSummary, ServingStats } from '../../shared/messages.ts';
import { attach } from '../../shared/node-private.ts';
import type { PassedHandle, SharedReads } from '../../shared/node-private.ts';
import { Admission } from '../admission.ts';
import { countAnswer, noAnswers } from '../answer-counts.ts';
import type { NodeListener } from '../application-kind.ts';
import { ErrorLines } from '../error-lines.ts';
import { absoluteForm } from '../http/grammar.ts';
import type { Mover } from '../migration/mover.ts';
import type { ServiceOptions } from '../service.ts';
import type { Serving } from '../serving.ts';
import type { PeerFacts } from '../environ.ts';
import { peerFacts } from '../peer.ts';
import { trustedProxiesOf } from '../proxies/forwarding.ts';
import type { TrustedProxies } from '../proxies/forwarding.ts';
import { ProxyGate } from '../proxies/proxy-gate.ts';
import type { ToldPeer } from '../proxies/told-peer.ts';
import { RequestDeadlines } from '../request-deadlines.ts';
import { RequestNaming } from '../request-id.ts';
import { NodeHooks } from './node-hooks.ts';
import type { Sender } from './node-hooks.ts';
import { idleSockets, NodeMoves } from './node-moves.ts';
import type { HttpSockets } from './node-moves.ts';
import { NodeServer } from './node-server.ts';
import { holdToLength } from './node-length.ts';
import { hooksOf } from './node-requests.ts';
import { endTooLate } from './node-timeout.ts';

/** how often node:http looks for heads that take too long; half a minute by itself */
const connectionsCheckingInterval = 1_000;

/** A connection, and how many requests it has had. */
interface Client extends Sender {
  requests: number;
}

type NodeServiceOptions = Omit<ServiceOptions, 'handler'> & { listener: NodeListener };

/** For more of a body that there is room for, or to take what was written. */
function waitsForClient(request: IncomingMessage, socket: Socket): boolean {
  const wantsBody = !request.complete && request.readableLength < request.readableHighWaterMark;
  return wantsBody || socket.writableLength > 0;
}

export class NodeService implements Serving {
  readonly sharesReads = false;
  readonly #options: NodeServiceOptions;
  readonly #server: NodeServer;
  readonly #hookDefaults: ConstructorParameters<typeof NodeHooks>[3];
  /** open connections */
  readonly #sockets = new Map<Socket, Client>();
  readonly #admission: Admission;
  readonly #trustedProxies: TrustedProxies | undefined;
  readonly #naming: RequestNaming;
  readonly proxyGate: ProxyGate | undefined;
  readonly #active = new Map<ServerResponse, NodeHooks>();
  /** came with bytes of a request, which node:http does not count as read */
  readonly #begun = new WeakSet<Socket>();
  readonly #requestDeadlines: RequestDeadlines<ServerResponse> | undefined;
  /** our side is closed */
  readonly #dismissed = new WeakSet<Socket>();
  #moves: NodeMoves | undefined;
  #draining = false;
  #closesIdle = false;
  #requests = 0;
  #pendingHooks = 0;
  readonly #answers = noAnswers();
  #onChange: () => void = () => {};

  constructor(options: NodeServiceOptions) {
    this.#options = options;
    const { settings, log, multiprocess } = options;
    this.#admission = new Admission(settings);
    this.#trustedProxies = trustedProxiesOf(settings);
    this.#naming = new RequestNaming(settings);
    this.proxyGate = ProxyGate.of(settings, log, () => this.#onChange());
    this.#requestDeadlines = RequestDeadlines.of(settings.requestTimeoutMs, () => this.#active.keys(), this.#timeOut);
    const errors = new ErrorLines(log);
    this.#hookDefaults = { log, multiprocess, extra: settings.environ, errors, naming: this.#naming };
    this.#server = new NodeServer(
      {
        maxHeaderSize: settings.urlLengthLimit + settings.maxHeadBytes,
        headersTimeout: settings.headTimeoutMs,
        connectionsCheckingInterval,
        requestTimeout: 0,
        keepAliveTimeout: settings.keepaliveMs,
        noDelay: true,
      },
      this.#onRequest,
    );
    this.#server.maxHeadersCount = settings.maxHeaders;
    this.#server.setTimeout(settings.socketTimeoutMs, this.#onQuiet);
    // It never listens itself; this makes it watch its time-outs and know its idle connections all the same.
    this.#server.emit('listening');
  }

  accept(socket: Socket, scheme: 'http' | 'https', _reads?: SharedReads, told?: ToldPeer): void {
    this.#take(socket, peerFacts(socket, scheme, told));
  }

  #take(socket: Socket, peer: PeerFacts): void {
    this.#sockets.set(socket, { peer, forwarding: this.#trustedProxies?.connection(peer), requests: 0 });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#moves?.gone(socket);
      this.#onChange();
    });
    this.#server.emit('connection', socket);
    this.#moves?.lookSoon();
    this.#onChange();
  }

  adopt({ peer, rest }: MovingConnection, handle: PassedHandle): void {
    const { socket } = attach(handle, false);
    if (rest !== undefined) {
      this.#begun.add(socket);
      socket.unshift(Buffer.from(rest, 'base64'));
    }
    this.#take(socket, peer);
    if (rest === undefined) this.#server.excuse(socket, this.#options.settings.keepaliveMs);
    if (this.#closesIdle) setImmediate(() => this.closeIdle());
  }

  /** Nothing moved for so long. Only a client that it waits for loses its connection; an application may take its time. */
  readonly #onQuiet = (socket: Socket): void => {
    const response = Array.from(this.#active.keys()).find(({ req }) => req.socket === socket);
    if (response === undefined || waitsForClient(response.req, socket)) socket.destroy();
    else socket.setTimeout(this.#options.settings.socketTimeoutMs);
  };

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    if (this.#dismissed.has(socket)) return; // it crossed our FIN: the client knows that nobody answers
    this.#server.hasAsked(socket);
    const sender = this.#sockets.get(request.socket);
    // The client has gone with its socket, before node:http got to its request.
    if (sender === undefined) return;
    const hooks = new NodeHooks(request, response, sender, this.#hookDefaults);
    const fault = this.#faultOf(request, hooks, sender);
    if (fault !== undefined) {
      this.#refuse(fault, response, hooks, sender);
      return;
    }
    this.#requests += 1;
    const { listener } = this.#options;
    if (this.#naming.sends) response.setHeader(this.#naming.header, hooks.requestId);
    this.#active.set(response, hooks);
    hooksOf.set(response, hooks);
    holdToLength(request, response, ({ code, bytes }) => {
      if (code === 'APP_SHORT_BODY') hooks.fail();
      this.#options.log.error('app.failed', { code, ...hooks.logFields, bytes });
    });
    if (this.#isLast(socket, sender)) response.setHeader('Connection', 'close');
    response.once('close', () => {
      this.#active.delete(response);
      if (response.headersSent) countAnswer(this.#answers, response.statusCode);
      this.#moves?.lookSoon();
      if (this.#closesIdle) setImmediate(() => this.closeIdle());
      for (const promise of hooks.run(this.#options.accessLog)) this.#track(promise);
    });
    try {
      const result = listener(request, response);
      if (result instanceof Promise) result.catch((thrown: unknown) => this.#fail(request, response, thrown));
    } catch (thrown) {
      this.#fail(request, response, thrown);
    }
  };

  /** Counts a request of a connection. (node:http's own maxRequestsPerSocket says close, but does not.) */
  #isLast(socket: Socket, client: Client): boolean {
    const { keepaliveMs, maxRequestsPerConnection: most } = this.#options.settings;
    client.requests += 1;
    if (this.#draining && this.#moves?.expects(socket) !== true) return true;
    return keepaliveMs === 0 || (most > 0 && client.requests >= most);
  }

  #faultOf({ url = '' }: IncomingMessage, hooks: NodeHooks, sender: Sender): ErrorCode | undefined {
    const authority = url.startsWith('/') ? undefined : absoluteForm.exec(url)?.[1];
    if (authority !== undefined && !this.#admission.agrees(url, sender)) return 'WRONG_SCHEME';
    if (!this.#admission.checksHosts) return undefined;
    return this.#admission.allowsHost(authority, hooks.variables, sender) ? undefined : 'WRONG_HOST';
  }

  #refuse(code: ErrorCode, response: ServerResponse, hooks: NodeHooks, sender: Sender): void {
    this.#options.log.info('request.refused', { code, peer: sender.peer.remoteAddress });
    response.once('close', () => void hooks.run(this.#options.accessLog));
    const status = errorTable[code].status ?? 400;
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Connection': 'close' });
    response.end(`${status} ${STATUS_CODES[status]}\n`);
  }

  #fail(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    const { message, stack } = toError(thrown);
    const hooks = this.#active.get(response);
    hooks?.fail();
    const names = hooks?.logFields ?? { request: `${request.method} ${request.url}` };
    this.#options.log.error('app.failed', { code: 'APP_FAILED', ...names, error: message, stack });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    if (this.#naming.sends && hooks) response.setHeader(this.#naming.header, hooks.requestId);
    const detail = this.#options.settings.debug ? `\n\n${stack}` : '';
    // With a reason of its own: the one that the listener has set may be what is wrong.
    const reason = 'Internal Server Error';
    response.writeHead(500, reason, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${reason}${detail}\n`);
  }

  readonly #timeOut = (response: ServerResponse): void => {
    const hooks = this.#active.get(response)!;
    // Of one that is complete only the client keeps us waiting, and there are time-outs for that.
    if (hooks.isExpired || response.writableEnded) return;
    const { peer, ageMs } = hooks.summary();
    this.#options.log.warn('request.timed-out', { ...hooks.logFields, peer, ageMs });
    endTooLate(response, ['Connection', ...(this.#naming.sends ? [this.#naming.header] : [])]);
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
      connections: this.#sockets.size + (this.proxyGate?.waiting ?? 0),
      activeRequests: this.#active.size,
      requests: this.#requests,
      pendingHooks: this.#pendingHooks,
      ...this.#answers,
    };
  }
  get isEmpty(): boolean {
    return this.#sockets.size === 0 && this.#pendingHooks === 0 && !this.proxyGate?.waiting;
  }
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }
  requestsUnderWay(): RequestSummary[] {
    return [...this.#active.values()].map((hooks) => hooks.summary()).toSorted((a, b) => b.ageMs - a.ageMs);
  }
  lastWords(): void {
    for (const hooks of this.#active.values()) hooks.lastWords(this.#options.accessLog);
    this.#options.accessLog?.writeNow();
  }
  drain(): void {
    this.#draining = true;
    for (const [response, { socket }] of this.#active) {
      if (!response.headersSent && this.#moves?.expects(socket) !== true) response.setHeader('Connection', 'close');
    }
  }
  moveWith(mover: Mover): void {
    if (idleSockets(this.#httpSockets) === undefined) return;
    this.#moves ??= new NodeMoves({ ...this.#httpSockets, released: this.#released, resumed: this.#resumed }, mover);
    this.#moves.look();
  }
  readonly #released = (socket: Socket): PeerFacts => {
    const { peer } = this.#sockets.get(socket)!;
    this.#sockets.delete(socket);
    socket.setTimeout(0);
    this.#onChange();
    return peer;
  };
  readonly #resumed = (socket: Socket, peer: PeerFacts): void => {
    this.#sockets.set(socket, { peer, forwarding: this.#trustedProxies?.connection(peer), requests: 0 });
    socket.setTimeout(this.#options.settings.keepaliveMs);
  };
  get #httpSockets(): HttpSockets {
    const busySockets = () => [...this.#active.values()].map(({ socket }) => socket);
    return { server: this.#server, sockets: this.#sockets, begun: this.#begun, busySockets };
  }

  /** Closes our side of what is idle, now and whenever a connection becomes so: destroy() would reset a request on its way. */
  closeIdle(): void {
    this.proxyGate?.closeAll();
    this.#closesIdle = true;
    const idle = idleSockets(this.#httpSockets);
    if (idle === undefined) this.#server.closeIdleConnections();
    for (const socket of idle ?? []) {
      this.#dismissed.add(socket);
      socket.end();
    }
  }
  destroyAll(): void {
    this.proxyGate?.closeAll();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }
  reopenLogs(): void {
    this.#options.accessLog?.reopen();
  }
  async stop(): Promise<void> {
    this.proxyGate?.closeAll();
    this.#moves?.stop();
    this.#requestDeadlines?.stop();
    this.#server.close();
    await this.#options.accessLog?.close();
  }
}
