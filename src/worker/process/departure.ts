/**
 * How a worker leaves: it stops accepting, finishes its requests within the grace time, and reports those that it could
 * not finish.
 */
import { performance } from 'node:perf_hooks';
import type { MasterToWorker, RequestSummary } from '../../shared/protocol/messages.ts';
import { stopListening, closeToClients } from '../accepting/intake.ts';
import { timerMs } from '../transport/clock.ts';
import type { Running } from './boot.ts';
import { IdleLinger, lingerTimes } from '../transport/idle.ts';
import type { LingerTimes } from '../transport/idle.ts';
import type { Gatekeeper } from '../accepting/gatekeeper.ts';

/** how long an idle client gets to notice that its connection was closed */
const lingerMs = 500;
/** how often idle connections are checked when the server stops */
const checkEveryMs = 50;

export type Departure = Omit<Extract<MasterToWorker, { type: 'drain' }>, 'type'>;

/** The parts of a worker that take part in its departure. */
export interface LeavingParts extends Pick<Running, 'serving' | 'servers' | 'mover'> {
  readonly gate: Pick<Gatekeeper, 'intake' | 'isFull' | 'isResting' | 'update'> & {
    readonly handshakes: Pick<Gatekeeper['handshakes'], 'count' | 'onChange'>;
  };
}

export class Leaving {
  readonly #running: LeavingParts;
  #connections = 0;
  /** connections accepted until the beginning */
  #accepted = 0;
  #closedBefore = 0;
  /** whether the last clients that have connected are still being accepted */
  #isAccepting = false;
  /** present when the whole server stops, where idle connections get only a short time */
  #stop: { readonly linger: IdleLinger; readonly times: LingerTimes; readonly sinceMs: number } | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #deadlineMs = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #over: (isEmpty: boolean) => void = () => {};

  constructor(running: LeavingParts) {
    this.#running = running;
  }

  /**
   * Resolves when everything is done: with an empty list, or with the requests that the grace time cuts. Running post
   * hooks are waited for, too.
   */
  async begin(departure: Departure): Promise<RequestSummary[]> {
    const { serving, servers, gate } = this.#running;
    this.#connections = serving.stats.connections;
    this.#closedBefore = serving.closedIdle;
    this.#accepted = gate.intake.accepted;
    if (departure.idle === 'close') void this.#closeToClients(departure.graceMs);
    else for (const server of servers) stopListening(server);
    try {
      return (await this.#emptyWithin(departure)) ? [] : await this.#cut();
    } finally {
      clearInterval(this.#idleTimer);
    }
  }

  async #cut(): Promise<RequestSummary[]> {
    const { serving, mover } = this.#running;
    // Only idle clients are left, or requests that take too long. Connections in transfer arrive without this process.
    mover?.stop();
    serving.closeIdle();
    const cut = serving.destroyBusy();
    // Connections that are closing get the time for it, also when others were cut.
    if (serving.stats.connections === 0) return cut;
    this.#deadlineMs = Infinity;
    await this.#emptyWithin({ graceMs: lingerMs, idle: 'close' });
    return cut;
  }

  /** Only when the whole server stops: otherwise other workers accept from these sockets. */
  async #closeToClients(graceMs: number): Promise<void> {
    const { servers, gate } = this.#running;
    this.#isAccepting = true;
    await closeToClients(servers, gate, graceMs);
    this.#isAccepting = false;
    this.#checkEnd();
  }

  /** connections at the beginning, and those accepted since */
  get connections(): number {
    return this.#connections + this.#running.gate.intake.accepted - this.#accepted;
  }

  /** idle connections that were closed so far */
  get closed(): number {
    return this.#running.serving.closedIdle - this.#closedBefore;
  }

  /** A later order counts if it is stricter: when the whole server stops, idle connections are not waited for. */
  hasten({ graceMs: givenMs, idle }: Departure): void {
    const { serving, mover } = this.#running;
    if (idle === 'close') mover?.stop();
    if ((idle === 'move' || idle === 'wait') && mover !== undefined) {
      mover.order(idle, givenMs);
      serving.moveWith(mover);
    }
    // This comes after: whether a response keeps its connection depends on it.
    serving.drain(givenMs);
    if (idle === 'close') this.#closeLongIdle(givenMs);
    const graceMs = timerMs(givenMs);
    const deadlineMs = performance.now() + graceMs;
    if (deadlineMs >= this.#deadlineMs) return;
    this.#deadlineMs = deadlineMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#over(this.#isEmpty), graceMs);
  }

  /**
   * Clients that are about to send a request get their response; connections of the others are closed as soon as they
   * have been idle for long enough.
   */
  #closeLongIdle(graceMs: number): void {
    if (this.#stop !== undefined) return;
    const { serving } = this.#running;
    const times = lingerTimes(graceMs);
    const linger = new IdleLinger(times);
    const sinceMs = performance.now();
    this.#stop = { linger, times, sinceMs };
    const closeOverdue = (): void => {
      const nowMs = performance.now();
      const idle = serving.idleConnections();
      for (const one of linger.overdue(idle ?? [], nowMs)) one.closeUnannounced();
      if (idle === undefined && nowMs - sinceMs >= times.firstRequestMs) serving.closeIdle();
      this.#checkEnd();
    };
    closeOverdue();
    // The check runs after the sockets were polled, so that bytes which arrived while this process could not run are
    // read before any connection is closed.
    const checkSoon = (): void => void setImmediate(closeOverdue);
    this.#idleTimer = setInterval(checkSoon, Math.min(checkEveryMs, Math.max(1, times.idleMs))).unref();
  }

  get #isEmpty(): boolean {
    const { serving, mover } = this.#running;
    return serving.isEmpty && mover?.isEmpty !== false && !this.#isAccepting && !this.#isArriving;
  }

  /** Whether TLS handshakes are in progress; a server that stops does not wait for slow ones. */
  get #isArriving(): boolean {
    if (this.#running.gate.handshakes.count === 0) return false;
    return this.#stop === undefined || performance.now() - this.#stop.sinceMs < this.#stop.times.firstRequestMs;
  }

  #emptyWithin(departure: Departure): Promise<boolean> {
    const { serving, mover, gate } = this.#running;
    return new Promise((resolve) => {
      this.#over = (isEmpty) => {
        clearTimeout(this.#timer);
        resolve(isEmpty);
      };
      serving.onChange(() => {
        gate.update(serving.stats.connections);
        this.#checkEnd();
      });
      mover?.onChange(() => this.#checkEnd());
      gate.handshakes.onChange(() => this.#checkEnd());
      this.hasten(departure);
      this.#checkEnd();
    });
  }

  #checkEnd(): void {
    if (this.#isEmpty) this.#over(true);
  }
}
