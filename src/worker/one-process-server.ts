/**
 * The one-process server: `wsgi.server(listen(['', 8090]), app)`, as in eventlet. There is no master and no fork;
 * errors reject the promise that `server()` returns.
 */
import type { Server } from 'node:net';
import type { App } from '../shared/application.ts';
import { EvyError } from '../shared/errors.ts';
import { checkGraceMs } from '../shared/grace.ts';
import { createLogger } from '../shared/log/log.ts';
import { withBudget } from '../shared/log/log-budget.ts';
import type { Logger } from '../shared/log/log.ts';
import type { ServerOptionsInput } from '../shared/options/table.ts';
import { accessLogTo } from './access-log/access-log.ts';
import { connectionLimit, openFilesLimit, DescriptorWatch } from './accepting/descriptor-watch.ts';
import { Leaving } from './process/departure.ts';
import { Alertness } from './process/alertness.ts';
import { VitalSigns } from './process/vital-signs.ts';
import { Intake } from './accepting/intake.ts';
import { wsgiHandler } from './interfaces/wsgi.ts';
import { ListenSocket } from './accepting/listen-socket.ts';
import type { ListenAddress } from './accepting/listen-socket.ts';
import { Gatekeeper } from './accepting/gatekeeper.ts';
import { makeServer } from './accepting/make-server.ts';
import { Service } from './loop/service.ts';

/** Receives whole lines, with their line end: a stream, or any object with `write`. */
export interface LineSink {
  write(line: string): unknown;
}

/** The options of `server()`: those of the command that apply to one process, and eventlet's names for some. */
export interface ServerOptions extends Omit<
  ServerOptionsInput,
  'accessLog' | 'certfile' | 'keyfile' | 'workerConnections'
> {
  /** where access lines are written; standard error by default */
  log?: LineSink | undefined;
  /** whether access lines are written at all; true by default */
  logOutput?: boolean | undefined;
  /** the most connections at a time, beyond which the server stops accepting; 1024 by default */
  maxSize?: number | undefined;
}

/** Current numbers of the one-process server. */
export interface ServerCounters {
  connections: number;
  activeRequests: number;
  /** since the start */
  requests: number;
  pendingHooks: number;
}

/** The result of `server()`: a promise that resolves when the server was stopped, and rejects when it cannot listen. */
export interface RunningServer extends Promise<void> {
  /** resolves with the address when the server accepts connections */
  readonly ready: Promise<ListenAddress>;
  /** undefined until `ready` */
  readonly address: ListenAddress | undefined;
  readonly counters: ServerCounters;
  /**
   * Answers clients that have connected, closes idle connections, and lets requests finish within `graceMs`
   * milliseconds (30,000 by default); then cuts the rest. Resolves when the server has stopped.
   */
  stop(options?: { graceMs?: number }): Promise<void>;
}

const defaultGraceMs = 30_000;
const noCounters: ServerCounters = { connections: 0, activeRequests: 0, requests: 0, pendingHooks: 0 };

class OneProcessServer {
  readonly #socket: ListenSocket;
  readonly #app: App;
  readonly #options: ServerOptions;
  #service: Service | undefined;
  #server: Server | undefined;
  #log: Logger | undefined;
  #gate: Gatekeeper | undefined;
  #alertness: Alertness | undefined;
  #stopping: Promise<void> | undefined;
  #hasSocket = false;
  address: ListenAddress | undefined;
  readonly stopped: Promise<void>;
  #resolveStopped: () => void = () => {};

  constructor(socket: ListenSocket, app: App, options: ServerOptions) {
    this.#socket = socket;
    this.#app = app;
    this.#options = options;
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
  }

  get counters(): ServerCounters {
    return this.#service?.stats ?? noCounters;
  }

  async start(): Promise<ListenAddress> {
    try {
      return await this.#start();
    } catch (error) {
      await this.#service?.stop();
      // The socket was bound for this server alone; another attempt binds it again.
      if (this.#hasSocket) this.#socket.close();
      throw error;
    }
  }

  async #start(): Promise<ListenAddress> {
    checkArguments(this.#socket, this.#app, this.#options);
    this.#socket.claim();
    this.#hasSocket = true;
    // Imported here, since the check of options is slow to load and workers never need it.
    const { resolveServerInput } = await import('../shared/options/input.ts');
    const { log: sink = process.stderr, logOutput = true, maxSize = 1024, ...input } = this.#options;
    const settings = resolveServerInput(input);
    if (!Number.isInteger(maxSize) || maxSize < 1) throw wrong('option maxSize must be a whole number from 1', maxSize);
    const { logLevel: level, logStyle: style, logFile: file } = settings;
    const log = withBudget(createLogger({ level, style, file }));
    const accessLog = logOutput ? accessLogTo(sink, settings, log) : undefined;
    const service = new Service({ settings, handler: wsgiHandler(this.#app), log, accessLog, multiprocess: false });
    this.#service = service;
    const intake = new Intake();
    const listening = makeServer(await this.#socket.tls, service, intake);
    const openFiles = openFilesLimit();
    const limit = connectionLimit(maxSize, openFiles, log);
    const gate = new Gatekeeper([listening], limit, log, { intake, idle: () => service.idleConnections() });
    this.#gate = gate;
    const descriptors = DescriptorWatch.of(openFiles, gate, log);
    const alertness = new Alertness({
      watches: descriptors === undefined ? [] : [descriptors],
      hasWork: () => service.stats.connections > 0,
      hasStirred: new VitalSigns().hasStirred,
      onWork() {},
      report() {},
      asleepReportMs: Infinity,
    });
    this.#alertness = alertness;
    service.onChange(() => {
      gate.update(service.stats.connections);
      alertness.note(service.stats.connections);
    });
    this.#server = listening;
    this.#log = log;
    this.address = await this.#socket.serve(listening);
    alertness.start();
    if (logOutput) log.info('server.ready', { ...this.address, tls: this.#socket.tls !== undefined });
    return this.address;
  }

  async stop(graceMs: number, started: Promise<unknown>): Promise<void> {
    await started;
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    if (this.address === undefined) this.#socket.close();
    else {
      const service = this.#service!;
      const parts = { serving: service, servers: [this.#server!], gate: this.#gate!, log: this.#log! };
      const cut = await new Leaving(parts).begin({ graceMs, idle: 'close' });
      for (const request of cut) this.#log!.error('request.cut', { ...request });
      this.#alertness?.stop();
      service.destroyAll();
      await service.stop();
    }
    this.#resolveStopped();
  }
}

function wrong(rule: string, value: unknown): EvyError {
  return new EvyError('BAD_OPTION', `${rule} (got ${JSON.stringify(value) ?? typeof value})`);
}

/** Options of the command that are set elsewhere for this server. */
const elsewhere = {
  accessLog: 'access lines go to the option log, or nowhere with logOutput: false',
  certfile: 'wrapSsl() takes it',
  keyfile: 'wrapSsl() takes it',
  workerConnections: 'use maxSize instead',
} as const;

/** Checks arguments for callers without types. @throws {EvyError} BAD_OPTION, APP_NOT_CALLABLE */
function checkArguments(socket: unknown, app: unknown, options: ServerOptions | null): void {
  if (!(socket instanceof ListenSocket))
    throw wrong('the first argument of wsgi.server() must be what listen() or wrapSsl() returned', socket);
  if (typeof options !== 'object' || options === null)
    throw wrong('the options of wsgi.server() must be an object', options);
  if (typeof app !== 'function')
    throw new EvyError('APP_NOT_CALLABLE', 'the application of wsgi.server() must be a function (env, startResponse)');
  for (const [name, instead] of Object.entries(elsewhere)) {
    if (Object.hasOwn(options, name))
      throw new EvyError('BAD_OPTION', `wsgi.server() has no option ${name}: ${instead}`);
  }
  const { log } = options;
  if (log !== undefined && typeof (log as Partial<LineSink> | null)?.write !== 'function') {
    throw wrong('option log must be an object with a function write(line)', log);
  }
}

/**
 * Serves `app` on a socket of `listen()` or `wrapSsl()`. Returns a promise that resolves when the server was stopped;
 * it rejects with EvyError BAD_OPTION, ADDRESS_IN_USE, ADDRESS_NOT_PERMITTED, BAD_CERTIFICATE and the like.
 */
export function server(socket: ListenSocket, app: App, options: ServerOptions = {}): RunningServer {
  const one = new OneProcessServer(socket, app, options);
  const ready = one.start();
  const whole = ready.then(() => one.stopped);
  // Callers that do not use `ready` get the same rejection from the main promise.
  ready.catch(() => {});
  const askForReady = (): Promise<ListenAddress> => {
    whole.catch(() => {});
    return ready;
  };
  return Object.defineProperties(whole, {
    ready: { get: askForReady },
    address: { get: () => one.address },
    counters: { get: () => one.counters },
    stop: { value: async ({ graceMs = defaultGraceMs } = {}) => one.stop(checkGraceMs(graceMs), ready) },
  }) as RunningServer;
}
