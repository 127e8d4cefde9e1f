/**
 * Serves a `(req, res)` listener - Express, Koa's callback - with node:http, on the connections that we accepted.
 * Draining and post hooks work as on our own loop.
 */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { PostHookFunction } from '../../shared/application.ts';
import { toError } from '../../shared/errors.ts';
import type { RequestSummary, ServingStats } from '../../shared/messages.ts';
import type { SharedReads } from '../../shared/node-private.ts';
import { countAnswer, noAnswers } from '../answer-counts.ts';
import type { NodeListener } from '../application-kind.ts';
import { ErrorLines } from '../error-lines.ts';
import type { ServiceOptions } from '../service.ts';
import type { Serving } from '../serving.ts';
import { peerFacts } from '../peer.ts';
import { trustedProxiesOf } from '../proxies/forwarding.ts';
import type { TrustedProxies } from '../proxies/forwarding.ts';
import { ProxyGate } from '../proxies/proxy-gate.ts';
import type { ToldPeer } from '../proxies/told-peer.ts';
import { RequestNaming } from '../request-id.ts';
import { NodeHooks } from './node-hooks.ts';
import type { Sender } from './node-hooks.ts';

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
  readonly #server: Server;
  readonly #hookDefaults: ConstructorParameters<typeof NodeHooks>[3];
  readonly #sockets = new Map<Socket, Sender>();
  readonly #trustedProxies: TrustedProxies | undefined;
  readonly #naming: RequestNaming;
  readonly proxyGate: ProxyGate | undefined;
  readonly #active = new Map<ServerResponse, NodeHooks>();
  #draining = false;
  #requests = 0;
  #pendingHooks = 0;
  readonly #answers = noAnswers();
  #onChange: () => void = () => {};

  constructor(options: NodeServiceOptions) {
    this.#options = options;
    const { settings, log, multiprocess } = options;
    this.#trustedProxies = trustedProxiesOf(settings);
    this.#naming = new RequestNaming(settings);
    this.proxyGate = ProxyGate.of(settings, log, () => this.#onChange());
    const errors = new ErrorLines(log);
    this.#hookDefaults = { log, multiprocess, extra: settings.environ, errors, naming: this.#naming };
    this.#server = createServer(
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

  accept(socket: Socket, scheme: 'http' | 'https', _reads?: SharedReads, told?: ToldPeer): void {
    const peer = peerFacts(socket, scheme, told);
    this.#sockets.set(socket, { peer, forwarding: this.#trustedProxies?.connection(peer) });
    socket.once('close', () => {
      this.#sockets.delete(socket);
      this.#onChange();
    });
    this.#server.emit('connection', socket);
    this.#onChange();
  }

  readonly #onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    this.#requests += 1;
    const { listener } = this.#options;
    const sender = this.#sockets.get(request.socket);
    // The client has gone with its socket, before node:http got to its request.
    if (sender === undefined) return;
    const hooks = new NodeHooks(request, response, sender, this.#hookDefaults);
    if (this.#naming.sends) response.setHeader(this.#naming.header, hooks.requestId);
    this.#active.set(response, hooks);
    hooksOf.set(response, hooks);
    if (this.#draining || this.#options.settings.keepaliveMs === 0) response.setHeader('Connection', 'close');
    response.once('close', () => {
      this.#active.delete(response);
      if (response.headersSent) countAnswer(this.#answers, response.statusCode);
      for (const promise of hooks.run(this.#options.accessLog)) this.#track(promise);
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
    response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`Internal Server Error${detail}\n`);
  }

  #track(promise: Promise<void>): void {
    this.#pendingHooks += 1;
    void promise.then(() => {
      this.#pendingHooks -= 1;
      this.#onChange();
    });
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
  drain(): void {
    this.#draining = true;
    for (const response of this.#active.keys()) if (!response.headersSent) response.setHeader('Connection', 'close');
  }
  closeIdle(): void {
    this.proxyGate?.closeAll();
    this.#server.closeIdleConnections();
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
    this.#server.close();
    await this.#options.accessLog?.close();
  }
}
