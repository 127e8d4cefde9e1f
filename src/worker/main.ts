/**
 * A worker process: hello, configure, load, ready, serve, drain, exit.
 *
 * It is forked by the master, takes its orders from it, and ends by itself, after draining, when the master is gone.
 */
import cluster from 'node:cluster';
import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { EvyError, toError } from '../shared/errors.ts';
import type { QuarantinedRoute } from '../shared/protocol/guarding.ts';
import { isMovingToWorker } from '../shared/protocol/messages.ts';
import type { MasterToWorker, WorkerStats } from '../shared/protocol/messages.ts';
import { boot } from './process/boot.ts';
import type { Configuration, Running } from './process/boot.ts';
import { guardSend, listenToMaster, tellMaster } from './process/channel.ts';
import { Leaving } from './process/departure.ts';
import type { Departure } from './process/departure.ts';
import { accept, move, receivedConnections } from './process/incoming-connections.ts';
import { stopListening } from './accepting/intake.ts';
import { accountFor, endProcess, onForeignExit } from './process/process-exit.ts';
import { watchVitalSigns } from './process/vital-signs.ts';
import { isOnItsWayOut, nextWorkerPhase } from './process/worker-phases.ts';
import type { WorkerPhase } from './process/worker-phases.ts';

const statsEveryMs = 1000;
/** a crash is told of, if that takes no longer */
const tellWithinMs = 1000;
/** requests that a crashing worker names */
const mostReported = 1000;

let phase: WorkerPhase = 'waiting';
let running: Running | undefined;
let configuration: Configuration | undefined;
let leaving: Leaving | undefined;
let turnedAwayBefore = 0;
let quarantined: QuarantinedRoute[] = [];
const vitalSigns = watchVitalSigns();

/**
 * It is about to end, and nothing is to come any more: what it would accept or adopt now it could only cut. A listening socket is
 * shared, and what waits there another worker takes.
 */
function shut(): void {
  phase = nextWorkerPhase(phase, 'end');
  for (const server of running?.servers ?? []) stopListening(server);
  running?.mover?.stop();
}

async function exit(code: number): Promise<never> {
  shut();
  await running?.serving.stop();
  // Listeners of 'disconnect' must not start a second way out.
  process.removeAllListeners('disconnect');
  endProcess(code);
}

async function configure(given: Configuration): Promise<void> {
  phase = nextWorkerPhase(phase, 'configure');
  configuration = given;
  process.title = `evy worker (generation ${given.generation})`;
  try {
    running = await boot(given, (step) => void tellMaster({ type: 'boot-step', step }));
  } catch (thrown) {
    const error = toError(thrown);
    const cause = error.cause instanceof Error ? error.cause : error;
    const code = thrown instanceof EvyError ? thrown.code : 'INTERNAL';
    await tellMaster({ type: 'failed', code, message: error.message, stack: cause.stack });
    await exit(thrown instanceof EvyError ? thrown.exitCode : 1);
  }
  // It may have come while the application was loading.
  running!.guard?.quarantine(quarantined);
  await running!.allowance?.begin();
  // A drain, or the master's death, may have come while the application was loading.
  if (isLeaving()) return;
  phase = nextWorkerPhase(phase, 'booted');
  if (given.standby) phase = nextWorkerPhase(phase, 'rest');
  // What loading took is no lag.
  vitalSigns();
  setInterval(reportStats, statsEveryMs).unref();
  const { interface: of, isGuess } = running!;
  await tellMaster({ type: 'ready', interface: of, isGuess });
}

/** Asked anew: an await lies between, which narrowing does not see. */
function isLeaving(): boolean {
  return isOnItsWayOut(phase);
}

function reportStats(): void {
  const { serving, guard, gate } = running!;
  const { healthChecks = 0, turnedAway = 0 } = guard ?? {};
  const { failed: failedHandshakes } = gate.handshakes;
  const stats: WorkerStats = {
    ...serving.stats,
    healthChecks,
    turnedAway,
    received: receivedConnections(),
    failedHandshakes,
    ...vitalSigns(),
  };
  void tellMaster({ type: 'stats', stats });
  // A line for each would cost more than the requests that it is about.
  if (turnedAway > turnedAwayBefore)
    running!.log.warn('requests.turned-away', { count: turnedAway - turnedAwayBefore });
  turnedAwayBefore = turnedAway;
}

/** Accepts nothing, or accepts again; what it has stays. One that leaves has closed for good. */
function rest(resting: boolean): void {
  if (isLeaving()) return;
  phase = nextWorkerPhase(phase, resting ? 'rest' : 'resume');
  running!.gate.rest(resting);
}

async function leave(departure: Departure): Promise<void> {
  if (isLeaving()) {
    if (phase === 'leaving') leaving?.hasten(departure);
    return;
  }
  phase = nextWorkerPhase(phase, 'drain');
  if (running === undefined) await exit(0);
  leaving = new Leaving(running!);
  const cut = await leaving.begin(departure);
  // It may have crashed meanwhile.
  if (phase !== 'leaving') return;
  phase = nextWorkerPhase(phase, 'over');
  const { connections, closed } = leaving;
  reportStats();
  const left = running!.serving.stats.pendingHooks;
  if (cut.length === 0 && left === 0) {
    await tellMaster({ type: 'drained', connections, closed });
    await exit(0);
  }
  // Their applications are told, their hooks run, and the log is written, before the master kills us.
  running!.serving.destroyAll();
  await setImmediate();
  await running!.serving.stop();
  await tellMaster({ type: 'overdue', requests: cut, connections, closed });
  // The master kills us now. Without a master we have to do it ourselves.
  if (!process.connected) {
    for (const request of cut) running!.log.error('request.cut', { ...request });
    await exit(1);
  }
}

/** At once. The end of a worker that has not served yet would count as a failure of its release, so the master is told. */
async function quit(): Promise<void> {
  if (phase === 'waiting' || phase === 'booting') await tellMaster({ type: 'leaving', signal: 'SIGQUIT' });
  await exit(0);
}

function receive(message: MasterToWorker, handle: unknown): void {
  if (isMovingToWorker(message)) {
    move(running, message, handle, phase === 'left' || phase === 'ending');
    return;
  }
  switch (message.type) {
    case 'configure':
      void configure(message);
      break;
    case 'drain':
      void leave(message);
      break;
    case 'stand-by':
      rest(true);
      break;
    case 'resume':
      rest(false);
      break;
    case 'reopen-logs':
      reopenLogs();
      break;
    case 'account':
      for (const line of message.lines) running?.accessLog?.add(line);
      break;
    case 'shares':
      running?.allowance?.receive(message);
      break;
    case 'quarantine':
      quarantined = message.routes;
      running?.guard?.quarantine(quarantined);
      break;
    case 'connection':
      accept(isLeaving() ? undefined : running, message.bind, handle as Socket | undefined);
      break;
    default:
      message satisfies never;
  }
}

function reopenLogs(): void {
  running?.log.reopen();
  running?.serving.reopenLogs();
}

/** The master is gone. */
function orphaned(): void {
  running?.log.warn('worker.orphaned');
  running?.mover?.channelLost();
  void leave({ graceMs: configuration?.graceMs ?? 0, idle: 'close' });
}

async function crash(thrown: unknown): Promise<void> {
  const { message, stack } = toError(thrown);
  running?.log.error('worker.crashed', { message, stack });
  // The first one ends it: what goes wrong on the way out is only told.
  if (phase === 'ending') return;
  shut();
  const requests = running?.serving.requestsUnderWay().slice(0, mostReported);
  // At once: whoever knows it gives us nothing more.
  const told = tellMaster({ type: 'crashed', message, stack, requests });
  // Their hooks run, and their access lines are written.
  running?.serving.destroyAll();
  await setImmediate();
  // A master that is stopped takes nothing; what it does not know then it sees by the end of this process.
  await Promise.race([told, setTimeout(tellWithinMs)]);
  await exit(1);
}

// node:cluster would end this process at once when the master dies; we drain first.
if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
// Whoever read our output is gone: no reason to die of a line that nobody can see.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
onForeignExit((error) => accountFor(error, running, phase === 'ending'));
process.on('uncaughtException', (thrown) => void crash(thrown));
// A terminal sends INT, HUP and others to the whole process group: the master decides, and entry.ts has them ignored here.
// Without a listener Node would open its debugger to whoever is on this machine.
process.on('SIGUSR1', reopenLogs);
process.on('SIGTERM', () => {
  if (!process.connected) void leave({ graceMs: configuration?.graceMs ?? 0, idle: 'close' });
  else void tellMaster({ type: 'leaving', signal: 'SIGTERM' });
});
process.on('SIGQUIT', () => void quit());
guardSend();
listenToMaster(receive, orphaned);
void tellMaster({ type: 'hello', pid: process.pid });
