/**
 * The life of a worker process: hello, configure, load, ready, serve, drain, exit. It handles the master's messages in
 * one switch. When the master is gone, it drains and exits by itself.
 */
import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { EvyError, toError } from '../../shared/errors.ts';
import { passedHandle } from '../../shared/node-private/node-private.ts';
import type { QuarantinedRoute } from '../../shared/protocol/guarding.ts';
import { isMovingToWorker } from '../../shared/protocol/messages.ts';
import type { MasterToWorker, MovingToWorker, WorkerStats } from '../../shared/protocol/messages.ts';
import { stopListening } from '../accepting/intake.ts';
import { boot } from './boot.ts';
import type { Configuration, Running } from './boot.ts';
import { sendToMaster, tellMaster } from './master-channel.ts';
import { Leaving } from './departure.ts';
import type { Departure } from './departure.ts';
import { accountFor, endProcess } from './process-exit.ts';
import { isOnItsWayOut, nextWorkerPhase } from './worker-phases.ts';
import type { WorkerPhase } from './worker-phases.ts';

/** The most time that the report of a crash may take. */
const tellWithinMs = 1000;
/** The most requests that a crashing worker reports. */
const mostReported = 1000;

export class WorkerProcess {
  #phase: WorkerPhase = 'waiting';
  #running: Running | undefined;
  #configuration: Configuration | undefined;
  #leaving: Leaving | undefined;
  /** Requests refused with 503 until the last report. */
  #turnedAwayBefore = 0;
  #quarantined: readonly QuarantinedRoute[] = [];
  /**
   * Connections that arrived over the channel, including those that have ended: with this number the master knows which
   * ones are still on the way.
   */
  #received = 0;

  /** Handles a message of the master. */
  receive(message: MasterToWorker, handle: unknown): void {
    if (isMovingToWorker(message)) {
      this.#move(message, handle);
      return;
    }
    switch (message.type) {
      case 'configure':
        void this.#configure(message);
        break;
      case 'drain':
        void this.#leave(message);
        break;
      case 'stand-by':
        this.#rest(true);
        break;
      case 'resume':
        this.#rest(false);
        break;
      case 'reopen-logs':
        this.reopenLogs();
        break;
      case 'account':
        for (const line of message.lines) this.#running?.accessLog?.add(line);
        break;
      case 'shares':
        this.#running?.allowance?.receive(message);
        break;
      case 'quarantine':
        this.#quarantined = message.routes;
        this.#running?.guard?.quarantine(this.#quarantined);
        break;
      case 'connection':
        this.#accept(message.bind, handle as Socket | undefined);
        break;
      default:
        message satisfies never;
    }
  }

  /** Serves a connection that the master accepted for this worker. */
  #accept(bind: number, socket: Socket | undefined): void {
    this.#received += 1;
    // The client may have disconnected on the way.
    if (socket === undefined) return;
    // A worker on standby may still get connections that the master sent earlier.
    if (this.#running === undefined || this.#isLeaving()) {
      socket.destroy();
      return;
    }
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    this.#running.servers[bind]?.emit('connection', socket);
  }

  /** Handles a connection that moves to this worker, or a message about one that moves away. */
  #move(message: MovingToWorker, given: unknown): void {
    if (message.type !== 'adopt') {
      this.#running?.mover?.receive(message);
      return;
    }
    this.#received += 1;
    const handle = passedHandle(given);
    if (handle === undefined) return; // no descriptor was free for it; the master notices
    const isEnding = this.#phase === 'left' || this.#phase === 'ending';
    // The master has a copy, and gives it to another worker.
    if (this.#running === undefined || isEnding || !process.connected) {
      handle.close();
      sendToMaster({ type: 'refused', id: message.id });
    } else {
      sendToMaster({ type: 'adopted', id: message.id });
      this.#running.serving.adopt(message.connection, handle);
    }
  }

  /**
   * The process is about to exit, so it accepts nothing more: it could only cut such connections. Listening sockets are
   * shared, so another worker accepts what waits there.
   */
  #shut(): void {
    this.#phase = nextWorkerPhase(this.#phase, 'end');
    for (const server of this.#running?.servers ?? []) stopListening(server);
    this.#running?.mover?.stop();
  }

  async #exit(code: number): Promise<never> {
    this.#shut();
    await this.#running?.serving.stop();
    // Listeners of 'disconnect' must not start a second exit.
    process.removeAllListeners('disconnect');
    endProcess(code);
  }

  async #configure(given: Configuration): Promise<void> {
    this.#phase = nextWorkerPhase(this.#phase, 'configure');
    this.#configuration = given;
    process.title = `evy worker (generation ${given.generation})`;
    try {
      this.#running = await boot(given, {
        onStep: (step) => void tellMaster({ type: 'boot-step', step }),
        onReport: (asleep) => this.#reportStats(asleep),
      });
    } catch (thrown) {
      const error = toError(thrown);
      const cause = error.cause instanceof Error ? error.cause : error;
      const code = thrown instanceof EvyError ? thrown.code : 'INTERNAL';
      await tellMaster({ type: 'failed', code, message: error.message, stack: cause.stack });
      await this.#exit(thrown instanceof EvyError ? thrown.exitCode : 1);
    }
    // The quarantine may have arrived while the application was loading.
    this.#running!.guard?.quarantine(this.#quarantined);
    await this.#running!.allowance?.begin();
    // A drain order, or the master's death, may have arrived while the application was loading.
    if (this.#isLeaving()) return;
    this.#phase = nextWorkerPhase(this.#phase, 'booted');
    if (given.standby) this.#phase = nextWorkerPhase(this.#phase, 'rest');
    // The time of loading does not count as load.
    this.#running!.vitalSigns.report();
    this.#running!.alertness.start();
    const { interface: of, isGuess } = this.#running!;
    await tellMaster({ type: 'ready', interface: of, isGuess });
  }

  /** A function, since TypeScript's narrowing does not see that the phase may change during an await. */
  #isLeaving(): boolean {
    return isOnItsWayOut(this.#phase);
  }

  #reportStats(asleep: boolean): void {
    const { serving, guard, gate, vitalSigns } = this.#running!;
    const { healthChecks = 0, turnedAway = 0 } = guard ?? {};
    const { failed: failedHandshakes } = gate.handshakes;
    const stats: WorkerStats = {
      ...serving.stats,
      healthChecks,
      turnedAway,
      received: this.#received,
      failedHandshakes,
      asleep,
      ...vitalSigns.report(),
    };
    void tellMaster({ type: 'stats', stats });
    // One line for all of them, since a line for each would cost more than the requests themselves.
    if (turnedAway > this.#turnedAwayBefore)
      this.#running!.log.warn('requests.turned-away', { count: turnedAway - this.#turnedAwayBefore });
    this.#turnedAwayBefore = turnedAway;
  }

  /** Stops accepting, or accepts again, and keeps its connections. A worker that leaves has closed for good. */
  #rest(resting: boolean): void {
    if (this.#isLeaving()) return;
    this.#phase = nextWorkerPhase(this.#phase, resting ? 'rest' : 'resume');
    this.#running!.gate.rest(resting);
  }

  async #leave(departure: Departure): Promise<void> {
    if (this.#isLeaving()) {
      if (this.#phase === 'leaving') this.#leaving?.hasten(departure);
      return;
    }
    this.#phase = nextWorkerPhase(this.#phase, 'drain');
    if (this.#running === undefined) await this.#exit(0);
    this.#leaving = new Leaving(this.#running!);
    const cut = await this.#leaving.begin(departure);
    // The worker may have crashed meanwhile.
    if (this.#phase !== 'leaving') return;
    this.#phase = nextWorkerPhase(this.#phase, 'over');
    const { connections, closed } = this.#leaving;
    this.#reportStats(false);
    const left = this.#running!.serving.stats.pendingHooks;
    if (cut.length === 0 && left === 0) {
      await tellMaster({ type: 'drained', connections, closed });
      await this.#exit(0);
    }
    // Applications are notified, hooks run, and the log is written before the master kills this process.
    this.#running!.serving.destroyAll();
    await setImmediate();
    await this.#running!.serving.stop();
    await tellMaster({ type: 'overdue', requests: cut, connections, closed });
    // The master kills this process now. Without a master it exits itself.
    if (!process.connected) {
      for (const request of cut) this.#running!.log.error('request.cut', { ...request });
      await this.#exit(1);
    }
  }

  /**
   * Exits immediately. The exit of a worker that has not served would count as a failure of its release, so the master
   * is told the reason.
   */
  async quit(): Promise<void> {
    if (this.#phase === 'waiting' || this.#phase === 'booting')
      await tellMaster({ type: 'leaving', signal: 'SIGQUIT' });
    await this.#exit(0);
  }

  reopenLogs(): void {
    this.#running?.log.reopen();
    this.#running?.serving.reopenLogs();
  }

  /** The master has exited. */
  orphaned(): void {
    this.#running?.log.warn('worker.orphaned');
    this.#running?.mover?.channelLost();
    void this.#leave({ graceMs: this.#configuration?.graceMs ?? 0, idle: 'close' });
  }

  async crash(thrown: unknown): Promise<void> {
    const { message, stack } = toError(thrown);
    this.#running?.log.error('worker.crashed', { message, stack });
    // Only the first crash counts; later errors are just logged.
    if (this.#phase === 'ending') return;
    this.#shut();
    const requests = this.#running?.serving.requestsUnderWay().slice(0, mostReported);
    // Sent immediately, since a master that knows of the crash sends nothing more.
    const told = tellMaster({ type: 'crashed', message, stack, requests });
    // Their hooks run, and their access lines are written.
    this.#running?.serving.destroyAll();
    await setImmediate();
    // A stopped master does not read; it notices that this process exits.
    await Promise.race([told, setTimeout(tellWithinMs)]);
    await this.#exit(1);
  }

  /** SIGTERM is reported to the master, if there is one, which decides. */
  terminate(): void {
    if (!process.connected) void this.#leave({ graceMs: this.#configuration?.graceMs ?? 0, idle: 'close' });
    else void tellMaster({ type: 'leaving', signal: 'SIGTERM' });
  }

  /** The application ended the process by process.exit(): logs and reports the active requests, synchronously. */
  exitedByApplication(error: Error): void {
    accountFor(error, this.#running, this.#phase === 'ending');
  }
}
