/**
 * Serves a `(req, res)` listener - Express, Koa's callback - with node:http, on the connections that we accepted.
 * Draining and post hooks work as on our own loop.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { PostHookFunction } from '../../shared/application.ts';
import { toError } from '../../shared/errors.ts';
import type { MovingConnection, RequestSummary, WorkerStats } from '../../shared/messages.ts';
import { attach } from '../../shared/node-private.ts';
import type { PassedHandle } from '../../shared/node-private.ts';
import type { NodeListener } from '../application-kind.ts';
import { ErrorLines } from '../error-lines.ts';
import type { Mover } from '../migration/mover.ts';
import type { ServiceOptions } from '../service.ts';
import type { Serving } from '../serving.ts';
import { NodeHooks } from './node-hooks.ts';
import { idleSockets, NodeMoves } from './node-moves.ts';
import type { HttpSockets } from './node-moves.ts';
import { NodeServer } from './node-server.ts';

const hooksOf = new WeakMap<ServerResponse, NodeHooks>();

/**
 * `func(env, ...args, kwargs)` runs once the response has been sent or the client has gone.
 * For listeners; the counterpart of `env['evy.posthooks']`.
 */
export function postHook(
  response: ServerResponse,
  func: PostHookFunction,
  args: readonly unknown[] = [],
  kwargs?: object,
): void {
  const hooks = hooksOf.get(response);
  if (hooks === undefined) throw new TypeError('postHook() takes the response of a request that evy is serving');
  hooks.add(kwargs === undefined ? [func, args] : [func, args, kwargs]);
}

type NodeServiceOptions = Omit<ServiceOptions, 'handler'> & { listener: NodeListener };

export class NodeService implements Serving {
  readonly sharesReads = false;
  readonly #options: NodeServiceOptions;
  readonly #server: NodeServer;
  readonly #hookDefaults: ConstructorParameters<typeof NodeHooks>[2];
  readonly #sockets = new Set<Socket>();
  readonly #active = new Map<ServerResponse, NodeHooks>();
  /** came with bytes of a request, which node:http does not count as read */
  readonly #begun = new WeakSet<Socket>();
  /** our side is closed */
  readonly #dismissed = new WeakSet<Socket>();
  #moves: NodeMoves | undefined;
  #draining = false;
  #closesIdle = false;
  #requests = 0;
  #pendingHooks = 0;
  #onChange: () => void = () => {};

  constructor(options: NodeServiceOptions) {
    this.#options = options;
    const { settings, log, multiprocess } = options;
    this.#hookDefaults = { log, multiprocess, extra: settings.environ, errors: new ErrorLines(log) };
    this.#server = new NodeServer(
      {
        maxHeaderSize: settings.urlLengthLimit + settings.maxHeadBytes,
        headersTimeout: settings.headTimeoutMs,
        requestTimeout: 0,
        keepAliveTimeout: settings.keepaliveMs,
        noDelay: true,
      },
      this.#onRequest,
    );
    this.#server.maxHeadersCount = settings.maxHeaders;
    // It never listens itself; this makes it watch its time-outs and know its idle connections all the same.
    this.#server.emit('listening');
  }

  accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#moves?.gone(socket);
      this.#onChange();
    });
    this.#server.emit('connection', socket);
    this.#moves?.lookSoon();
    this.#onChange();
  }

  adopt({ rest }: MovingConnection, handle: PassedHandle): void {
    const { socket } = attach(handle, false);
    if (rest !== undefined) {
      this.#begun.add(socket);
      socket.unshift(Buffer.from(rest, 'base64'));
    }
    this.accept(socket);
    if (rest === undefined) this.#server.excuse(socket, this.#options.settings.keepaliveMs);
    if (this.#closesIdle) setImmediate(() => this.closeIdle());
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    if (this.#dismissed.has(socket)) return; // it crossed our FIN: the client knows that nobody answers
    this.#server.hasAsked(socket);
    this.#requests += 1;
    const { listener } = this.#options;
    const hooks = new NodeHooks(request, response, this.#hookDefaults);
    this.#active.set(response, hooks);
    hooksOf.set(response, hooks);
    const isLast = this.#draining && this.#moves?.expects(socket) !== true;
    if (isLast || this.#options.settings.keepaliveMs === 0) response.setHeader('Connection', 'close');
    response.once('close', () => {
      this.#active.delete(response);
      this.#moves?.lookSoon();
      if (this.#closesIdle) setImmediate(() => this.closeIdle());
      const report = hooks.run();
      for (const promise of report.pending) this.#track(promise);
      this.#options.accessLog?.write(report.access(this.#options.settings.logXForwardedFor));
    });
    try {
      const result = listener(request, response);
      if (result instanceof Promise) result.catch((thrown: unknown) => this.#fail(request, response, thrown));
    } catch (thrown) {
      this.#fail(request, response, thrown);
    }
  };

  #fail(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    const { message, stack } = toError(thrown);
    this.#active.get(response)?.fail();
    this.#options.log.error('app.failed', {
      code: 'APP_FAILED',
      request: `${request.method} ${request.url}`,
      error: message,
      stack,
    });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    const detail = this.#options.settings.debug ? `\n\n${stack}` : '';
    response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`Internal Server Error${detail}\n`);
  }

  #track(promise: Promise<void>): void {
    this.#pendingHooks += 1;
    void promise.then(() => {
      this.#pendingHooks -= 1;
      this.#onChange();
    });
  }

  get stats(): WorkerStats {
    const { size: connections } = this.#sockets;
    return {
      connections,
      activeRequests: this.#active.size,
      requests: this.#requests,
      pendingHooks: this.#pendingHooks,
    };
  }
  get isEmpty(): boolean {
    return this.#sockets.size === 0 && this.#pendingHooks === 0;
  }
  onChange(callback: () => void): void {
    this.#onChange = callback;
  }
  requestsUnderWay(): RequestSummary[] {
    return [...this.#active.values()].map((hooks) => hooks.summary()).toSorted((a, b) => b.ageMs - a.ageMs);
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
  readonly #released = (socket: Socket): void => {
    this.#sockets.delete(socket);
    socket.setTimeout(0);
    this.#onChange();
  };
  readonly #resumed = (socket: Socket): void => {
    this.#sockets.add(socket);
    socket.setTimeout(this.#options.settings.keepaliveMs);
  };
  get #httpSockets(): HttpSockets {
    const busySockets = () => [...this.#active.values()].map(({ socket }) => socket);
    return { server: this.#server, sockets: this.#sockets, begun: this.#begun, busySockets };
  }

  /** Closes our side of what is idle, now and whenever a connection becomes so: destroy() would reset a request on its way. */
  closeIdle(): void {
    this.#closesIdle = true;
    const idle = idleSockets(this.#httpSockets);
    if (idle === undefined) this.#server.closeIdleConnections();
    for (const socket of idle ?? []) {
      this.#dismissed.add(socket);
      socket.end();
    }
  }
  destroyAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
  reopenLogs(): void {
    this.#options.accessLog?.reopen();
  }
  async stop(): Promise<void> {
    this.#moves?.stop();
    this.#server.close();
    await this.#options.accessLog?.close();
  }
}
