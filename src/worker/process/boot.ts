/** Boots a worker: loads the application, warms it up, creates its loop and watchdog, then listens. */
import type { Server } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { Alertness } from './alertness.ts';
import { Allowance } from '../limits/allowance.ts';
import { sendToMaster } from './master-channel.ts';
import { EvyError } from '../../shared/errors.ts';
import { createLogger } from '../../shared/log/log.ts';
import { withBudget } from '../../shared/log/log-budget.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { MasterToWorker } from '../../shared/protocol/messages.ts';
import { adoptParts, attachListening } from '../../shared/node-private/node-private.ts';
import type { ServerSettings } from '../../shared/options/table.ts';
import type { AccessLog } from '../access-log/access-log.ts';
import type { NodeListener } from '../../shared/application.ts';
import { connectionLimit, openFilesLimit, DescriptorWatch } from '../accepting/descriptor-watch.ts';
import { guardHandler, guardListener, RequestGuard } from '../limits/request-guard.ts';
import { wsgiHandler } from '../interfaces/wsgi.ts';
import { Gatekeeper } from '../accepting/gatekeeper.ts';
import { makeServer } from '../accepting/make-server.ts';
import { Intake } from '../accepting/intake.ts';
import { loadRelease } from './load-application.ts';
import type { LoadedApplication } from './load-application.ts';
import { Mover } from '../migration/mover.ts';
import { readySignal } from './readiness.ts';
import { RollCall } from './roll-call.ts';
import { Service } from '../loop/service.ts';
import type { Handler } from '../loop/exchange.ts';
import type { Serving } from '../loop/service.ts';
import { VitalSigns } from './vital-signs.ts';
import { isDebuggable, watchdogStarter } from '../watchdog/watchdog.ts';

export type Configuration = Extract<MasterToWorker, { type: 'configure' }>;

/** A worker that serves. */
export interface Running {
  readonly interface: LoadedApplication['interface'];
  /** whether the interface is only a guess */
  readonly isGuess: boolean;
  readonly serving: Serving;
  /** one per bind, in its order */
  readonly servers: readonly Server[];
  readonly gate: Gatekeeper;
  readonly alertness: Alertness;
  readonly vitalSigns: VitalSigns;
  readonly log: Logger;
  readonly accessLog?: AccessLog | undefined;
  /** undefined when there is nothing to check before the application */
  readonly guard?: RequestGuard | undefined;
  /** undefined where no limit holds for the whole server */
  readonly allowance?: Allowance | undefined;
  /** moves connections to another process; undefined where that is not possible */
  readonly mover?: Mover;
}

/** Parts of the loop that serves clients. The loop for warm-up requests has none of them: it neither logs, limits nor reports. */
interface ForClients {
  readonly accessLog: AccessLog | undefined;
  readonly guard: RequestGuard | undefined;
  readonly onFirstAnswer: () => void;
}

/** Only the modules of the application's interface are loaded. */
async function makeServing(
  application: LoadedApplication,
  settings: ServerSettings,
  log: Logger,
  { accessLog, guard, onFirstAnswer }: Partial<ForClients> = {},
): Promise<Serving> {
  const shared = { settings, log, accessLog, multiprocess: true, onFirstAnswer };
  const underWay = () => serving.activeRequests;
  const onOurLoop = (handler: Handler) =>
    new Service({ ...shared, handler: guard === undefined ? handler : guardHandler(handler, guard, underWay) });
  const onNodes = async (listener: NodeListener) => {
    const { NodeService } = await import('../interfaces/node.ts');
    const guarded = guard === undefined ? listener : guardListener(listener, guard, underWay);
    return new NodeService({ ...shared, listener: guarded });
  };
  const serving = await servingOf(application, onOurLoop, onNodes);
  return serving;
}

async function servingOf(
  application: LoadedApplication,
  onOurLoop: (handler: Handler) => Serving,
  onNodes: (listener: NodeListener) => Promise<Serving>,
): Promise<Serving> {
  switch (application.interface) {
    case 'wsgi':
      return onOurLoop(wsgiHandler(application.app));
    case 'fetch':
      return onOurLoop((await import('../interfaces/fetch.ts')).fetchHandler(application.app));
    case 'node':
      return onNodes(application.app);
  }
}

async function accessLogOf(settings: ServerSettings, log: Logger, generation: number): Promise<AccessLog | undefined> {
  if (settings.accessLog === 'off') return undefined;
  try {
    const { openAccessLog } = await import('../access-log/access-log.ts');
    return await openAccessLog(settings, log, generation);
  } catch (cause) {
    if (cause instanceof EvyError) throw cause;
    throw new EvyError('BAD_OPTION', `option accessLog: ${(cause as Error).message}`, { cause });
  }
}

async function certificateOf(settings: ServerSettings): Promise<TlsOptions> {
  const { readCertificate } = await import('../../shared/certificate.ts');
  return readCertificate(settings);
}

/** Loads the application, and waits for its `ready()` where the option asks for it. */
async function loadReady(
  { release, ready }: Configuration,
  onStep: (step: string) => void,
): Promise<LoadedApplication> {
  onStep('loading the application');
  // The application may call it while it is loaded.
  const signal = ready === 'signal' ? readySignal() : undefined;
  const application = await loadRelease(release);
  if (signal !== undefined) onStep("waiting for the application's ready()");
  await signal;
  return application;
}

export interface BootEvents {
  /** called with each step of the boot */
  readonly onStep: (step: string) => void;
  /** called when a report to the master is due; it sleeps after one with `asleep` */
  readonly onReport: (asleep: boolean) => void;
}

/** The interval of reports of an idle worker: three of them before it would count as stuck. */
const asleepReportMs = 10_000;

/** What may run in this process without a client: timers and connections, but not a single file operation. */
function lastingResources(): number {
  return process.getActiveResourcesInfo().filter((name) => !/Req|Immediate/.test(name)).length;
}

/**
 * @throws {EvyError} the errors of loadRelease, warmUp and readCertificate, and of listen(2)
 */
export async function boot(configuration: Configuration, { onStep, onReport }: BootEvents): Promise<Running> {
  const { settings, binds, generation } = configuration;
  const { logLevel: level, logStyle: style, logFile: file } = settings;
  const log = withBudget(createLogger({ level, style, file, fields: { pid: process.pid, generation } }));
  // The master has logged what works in no process; this concerns only this process.
  const reason = adoptParts(configuration.parts);
  if (reason !== undefined)
    log.warn('worker.fallback', {
      message: 'each connection uses a socket of Node, which costs memory and CPU time',
      reason,
    });
  const resourcesBefore = lastingResources();
  const application = await loadReady(configuration, onStep);
  const tls = binds.some((bind) => bind.tls) ? await certificateOf(settings) : undefined;
  if (configuration.warmup.length > 0) {
    const scheme = binds[0]?.tls === true ? 'https' : 'http';
    const host = settings.allowedHosts[0]?.replace(/^\./, '') ?? 'localhost';
    const own = await makeServing(application, settings, log);
    const { warmUp } = await import('./warm-up.ts');
    await warmUp({ serving: own, scheme, host, requests: configuration.warmup, onStep });
  }
  const accessLog = await accessLogOf(settings, log, generation);
  const guard = RequestGuard.of(configuration.guarding);
  const onFirstAnswer = () => sendToMaster({ type: 'answered' });
  const serving = await makeServing(application, settings, log, { accessLog, guard, onFirstAnswer });
  const intake = new Intake();
  const servers = binds.map((bind) => makeServer(bind.tls ? tls : undefined, serving, intake));
  const openFiles = openFilesLimit();
  const limit = connectionLimit(settings.workerConnections, openFiles, log);
  const gate = new Gatekeeper(servers, limit, log, { intake, idle: () => serving.idleConnections() });
  const { watchdog } = configuration;
  const watch = watchdog === undefined ? () => {} : watchdogStarter(watchdog, serving, log);
  const vitalSigns = new VitalSigns();
  const descriptors = DescriptorWatch.of(openFiles, gate, log);
  const alertness = new Alertness({
    watches: [vitalSigns, new RollCall(serving, sendToMaster), ...(descriptors ? [descriptors] : [])],
    hasWork: () => {
      const { connections, activeRequests, pendingHooks } = serving.stats;
      return connections + activeRequests + pendingHooks + gate.handshakes.count > 0;
    },
    hasStirred: vitalSigns.hasStirred,
    onWork: watch,
    report: onReport,
    asleepReportMs: Math.min(asleepReportMs, (watchdog?.stuckMs ?? Infinity) / 3),
  });
  serving.onChange(() => {
    const { connections } = serving.stats;
    gate.update(connections);
    alertness.note(connections);
  });
  gate.handshakes.onChange(() => alertness.note(gate.handshakes.count));
  // The event loop may be blocked from the first connection on, or earlier if the application is active by itself. The
  // watchdog also knows of debuggers, while to the master a thread at a breakpoint looks blocked.
  if (lastingResources() > resourcesBefore || isDebuggable()) watch();
  const attached = binds.flatMap(({ fd, backlog }, index) =>
    fd === undefined ? [] : [attachListening(servers[index]!, fd, backlog)],
  );
  // In the same turn of the event loop, so nothing has been accepted yet.
  if (configuration.standby) gate.rest(true);
  await Promise.all(attached);
  const { guarding } = configuration;
  const allowance = Allowance.of({ guarding, serving, gate, guard, send: sendToMaster });
  const mover = new Mover({ send: sendToMaster, nowMs: () => performance.now() });
  const { interface: of, isGuess = false } = application;
  return {
    interface: of,
    isGuess,
    serving,
    servers,
    gate,
    alertness,
    vitalSigns,
    log,
    accessLog,
    guard,
    allowance,
    mover,
  };
}
