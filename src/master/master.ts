/**
 * A master owns the sockets and the workers, and loads no application code. This class is what a program that embeds a master
 * holds; the supervisor behind the queue does the work.
 *
 * It changes nothing process-wide (signals, exit, the title) unless `signals: true` asks for it, which is undone at the end.
 */
import cluster from 'node:cluster';
import { EventEmitter } from 'node:events';
import { EvyError, toError } from '../shared/errors.ts';
import { checkGraceMs } from '../shared/grace.ts';
import { silentLogger } from '../shared/log/log.ts';
import type { Logger } from '../shared/log/log.ts';
import { probePrivateApi } from '../shared/node-private/node-private.ts';
import type { Options } from '../shared/options/table.ts';
import { formatWorkerRange, mostWorkers } from '../shared/options/worker-range.ts';
import { masterStatus } from './control/status.ts';
import type { MasterState, MasterStatus } from './control/status.ts';
import type { Generation, Preparation } from './generations/generation.ts';
import { logicalDirectory } from './generations/release.ts';
import type { Command } from './loop/commands.ts';
import type { Supervisor } from './loop/supervisor.ts';
import type { Emit, MasterEvents } from './outcomes/events.ts';
import { CommandQueue, deferred } from './outcomes/queue.ts';
import { nothingStopped } from './outcomes/results.ts';
import type { ReloadResult, ScaleResult, StopResult, UpgradeResult } from './outcomes/results.ts';
import { reclaimPlace, removePidfile, writePidfile } from './pidfile.ts';
import { installSignals } from './signals.ts';
import type { BoundAddress } from './sockets/bind-address.ts';
import type { Listener } from './sockets/listeners.ts';
import type * as StartParts from './start-parts.ts';
import type { Takeover } from './upgrade/takeover.ts';
import { interfaceFields } from './workers/served-interface.ts';

export interface MasterParts {
  /** checked and complete, as shared/options returns them */
  options: Options;
  /** reads the configuration again at each reload; without it a reload only loads the application again */
  resolve?: () => Options | Promise<Options>;
  logger?: Logger;
  /** whether signals to this process are commands to this master */
  signals?: boolean;
  /** path of the worker's main module, to replace evy's own */
  workerEntry?: string;
}

export class Master extends EventEmitter<MasterEvents> {
  readonly #parts: MasterParts;
  readonly #logger: Logger;
  readonly #queue = new CommandQueue<Command>();
  readonly #directory = logicalDirectory();
  #state: 'idle' | 'starting' | 'running' | 'stopped' = 'idle';
  #supervisor: Supervisor | undefined;
  #listeners: Listener[] = [];
  #takeover: Takeover | undefined;
  /** loaded by the start */
  #loaded: typeof StartParts | undefined;
  #removeSignals: () => void = () => {};
  readonly #stopped = deferred<StopResult>();

  constructor(parts: MasterParts) {
    super();
    this.#parts = parts;
    this.#logger = parts.logger ?? silentLogger;
  }

  /**
   * Resolves with the addresses when workers serve. Rejects with an EvyError when they cannot, after everything has
   * been closed.
   */
  async start(): Promise<{ addresses: readonly BoundAddress[] }> {
    if (this.#state !== 'idle')
      throw new EvyError('NOT_SUPPORTED', 'a master can be started only once; create another one');
    this.#state = 'starting';
    if (this.#parts.signals === true) this.#removeSignals = installSignals((command) => this.#queue.push(command));
    try {
      this.#loaded = await import('./start-parts.ts');
      this.#supervisor = await this.#prepareStart(this.#loaded);
      const supervisor = this.#supervisor;
      this.#queue.open((command) => supervisor.handle(command));
      await supervisor.start();
      this.#state = 'running';
    } catch (error) {
      this.#takeover?.fail(error);
      this.#finish();
      throw error;
    }
    const addresses = this.#addresses;
    this.#logger.info('master.ready', {
      pid: process.pid,
      addresses: addresses.map(({ name, tls }) => (tls ? `tls:${name}` : name)),
      workers: this.#supervisor.wanted.workers,
      ...interfaceFields(this.#supervisor.served),
    });
    this.#emit('ready', { addresses });
    return { addresses };
  }

  /**
   * Loads the configuration and the application again. Resolves when the last old worker has exited; the event
   * 'reload:live' tells when the new ones serve. Rejects with a ReloadError, and the old generation serves on.
   */
  reload(): Promise<ReloadResult> {
    const answer = deferred<ReloadResult>();
    this.#push({ type: 'reload', answer });
    return answer.promise;
  }

  /**
   * Starts the next master from this process's command line. Resolves when that master serves; this one then moves its
   * connections there and stops. Rejects when the next master does not become ready, and this one serves on.
   */
  upgrade(): Promise<UpgradeResult> {
    const answer = deferred<UpgradeResult>();
    this.#push({ type: 'upgrade', answer });
    return answer.promise;
  }

  /** Changes the number of workers. Resolves when that many workers serve and the surplus ones have exited. */
  scale(workers: number): Promise<ScaleResult> {
    if (!Number.isInteger(workers) || workers < 1 || workers > mostWorkers) {
      return Promise.reject(
        new EvyError('BAD_OPTION', `workers must be a whole number from 1 to ${mostWorkers} (got ${workers})`),
      );
    }
    const answer = deferred<ScaleResult>();
    this.#push({ type: 'scale', change: { to: workers }, answer });
    return answer.promise;
  }

  /**
   * Stops gracefully: workers finish their requests within the grace time (`graceMs` milliseconds; by default the
   * option). Resolves when all workers have exited; rejects with EvyError BAD_OPTION on an invalid time.
   */
  async stop({ graceMs }: { graceMs?: number } = {}): Promise<StopResult> {
    this.#push({ type: 'stop', graceMs: graceMs === undefined ? undefined : checkGraceMs(graceMs) });
    return this.#stopped.promise;
  }

  /** Kills the workers and stops. */
  stopNow(): Promise<StopResult> {
    this.#push({ type: 'stop-now' });
    return this.#stopped.promise;
  }

  /** Reopens the log files of the master and the workers after a rotation. */
  reopenLogs(): void {
    this.#push({ type: 'reopen-logs' });
  }

  status(): MasterStatus {
    const supervisor = this.#supervisor;
    const state: MasterState = this.#state === 'running' ? supervisor!.state : this.#state;
    const wanted = supervisor?.wanted ?? { workers: this.#parts.options.workers.least, serving: 0, candidate: null };
    return masterStatus(state, wanted, this.#addresses, supervisor?.workers ?? [], supervisor?.reload);
  }

  get #addresses(): readonly BoundAddress[] {
    return this.#listeners.map(({ address }) => address);
  }

  #push(command: Command): void {
    // A master that was never started has nothing to wait for.
    if (this.#state === 'idle' && command.type.startsWith('stop')) this.#finish();
    this.#queue.push(command);
  }

  // Deferred until the command in progress is done, so that a listener sees the master as the command leaves it.
  readonly #emit: Emit = (name, ...values) => {
    queueMicrotask(() => (this.emit as (name: string, ...values: unknown[]) => boolean)(name, ...values));
  };

  async #prepareStart(loaded: typeof StartParts): Promise<Supervisor> {
    const { options, workerEntry = loaded.defaultWorkerEntry() } = this.#parts;
    const logger = this.#logger;
    const { note } = loaded.checkPlatform(process.platform);
    if (!cluster.isPrimary) throw new EvyError('NOT_SUPPORTED', 'a master cannot run inside a node:cluster worker');
    if (note !== undefined) this.#logger.warn('master.fallback', { message: note });
    const takeover = loaded.takeoverFrom(process.env);
    this.#takeover = takeover;
    const { binds, ignored } = loaded.chooseBinds(options, process.env, takeover.activatedPid(process.env));
    if (ignored !== undefined) this.#logger.warn('option.ignored', { option: 'LISTEN_FDS', message: ignored });
    const first = await loaded.prepareGeneration(1, options, {
      directory: this.#directory,
      tls: binds.some(({ bind }) => bind.tls),
    });
    const faults = await probePrivateApi(loaded.neededParts(binds.map(({ bind }) => bind)));
    for (const fallback of loaded.fallbacksOf(faults)) this.#logger.warn('master.fallback', fallback);
    const moving = faults.moving === undefined;
    const workersInherit = { tcp: faults.tcpSockets === undefined, unix: faults.unixSockets === undefined };
    const settings = { ...options, workersInherit, logger: this.#logger };
    const listeners = (this.#listeners = await loaded.openListeners(binds, settings, takeover.inheritedSockets));
    this.#logger.debug('master.starting', { node: process.version, workers: formatWorkerRange(options.workers) });
    if (options.pidfile !== '' && takeover.isComplete) writePidfile(options.pidfile);
    const push = (command: Command) => this.#queue.push(command);
    const supervisor = new loaded.Supervisor({
      first,
      listeners,
      workerEntry,
      logger,
      emit: this.#emit,
      moving,
      ...takeover.crew(options.workers),
      directory: this.#directory,
      reclaim: (from) => reclaimPlace(options.pidfile, from, logger),
      push,
      prepare: (number) => this.#prepareReload(number, first),
      refuse: () => this.#closeListeners(),
      finish: (result, passedOn) => this.#finish(result, passedOn),
    });
    const { moves, whole } = supervisor;
    takeover.begin({ moves, whole, listeners, moving, pidfile: options.pidfile, push, logger });
    this.once('stopping', () => takeover.leave());
    return supervisor;
  }

  async #prepareReload(number: number, first: Generation): Promise<Preparation> {
    try {
      const fresh = await (this.#parts.resolve?.() ?? first.options);
      const { prepareGeneration, reloadedOptions } = this.#loaded!;
      const { options, ignored } = reloadedOptions(first.options, fresh);
      const tls = this.#listeners.some(({ address }) => address.tls);
      return { generation: await prepareGeneration(number, options, { directory: this.#directory, tls }), ignored };
    } catch (thrown) {
      return { error: toError(thrown) };
    }
  }

  #closeListeners(passedOn: ReadonlySet<string> = new Set()): void {
    for (const listener of this.#listeners) {
      if (passedOn.has(listener.key)) listener.detach();
      else if (this.#takeover?.isComplete === true) listener.close();
      else this.#loaded?.giveUp(listener);
    }
  }

  /** Closes and removes everything: sockets, files, signal handlers. Later commands are answered immediately. */
  #finish(result: StopResult = nothingStopped, passedOn: ReadonlySet<string> = new Set()): void {
    if (this.#state === 'stopped') return;
    const wasRunning = this.#state === 'running';
    this.#state = 'stopped';
    this.#removeSignals();
    this.#closeListeners(passedOn);
    if (this.#parts.options.pidfile !== '') removePidfile(this.#parts.options.pidfile);
    this.#queue.open((command) => {
      if ('answer' in command) command.answer?.reject(new EvyError('STOPPING', 'the master has stopped'));
    });
    this.#stopped.resolve(result);
    if (!wasRunning) return;
    this.#logger.info('master.stopped', { ...result });
    this.#emit('stopped', result);
  }
}
