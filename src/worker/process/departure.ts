/** How a worker leaves: it accepts no more, finishes what it has within the grace time, and tells what it could not. */
import { performance } from 'node:perf_hooks';
import type { MasterToWorker, RequestSummary } from '../../shared/protocol/messages.ts';
import { stopListening, closeToClients } from '../accepting/intake.ts';
import { timerMs } from '../transport/clock.ts';
import type { Running } from './boot.ts';
import { IdleLinger, lingerTimes } from '../transport/idle.ts';
import type { LingerTimes } from '../transport/idle.ts';
import type { Gatekeeper } from '../accepting/gatekeeper.ts';

/** idle clients whose connection was closed get this long to see it */
const lingerMs = 500;
/** how often it is looked which clients are idle when the server stops */
const lookEveryMs = 50;

export type Departure = Omit<Extract<MasterToWorker, { type: 'drain' }>, 'type'>;

/** What leaves. */
export interface LeavingParts extends Pick<Running, 'serving' | 'servers' | 'mover'> {
  readonly gate: Pick<Gatekeeper, 'intake' | 'isFull' | 'isResting' | 'update'> & {
    readonly handshakes: Pick<Gatekeeper['handshakes'], 'count' | 'onChange'>;
  };
}

export class Leaving {
  readonly #running: LeavingParts;
  #connections = 0;
  /** as of the beginning */
  #accepted = 0;
  #closedBefore = 0;
  /** new clients are still being accepted: the last ones that have connected */
  #isAccepting = false;
  /** of a server that stops, which waits for nobody who is idle for long */
  #stop: { readonly linger: IdleLinger; readonly times: LingerTimes; readonly sinceMs: number } | undefined;
  #looks: NodeJS.Timeout | undefined;
  #deadlineMs = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #over: (isEmpty: boolean) => void = () => {};

  constructor(running: LeavingParts) {
    this.#running = running;
  }

  /**
   * Resolves with what is left when there is nothing more to wait for: nothing, or the requests that the grace time
   * cuts. Post hooks that are still running count as work, too.
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
      clearInterval(this.#looks);
    }
  }

  async #cut(): Promise<RequestSummary[]> {
    const { serving, mover } = this.#running;
    // Only clients that never asked again are left, or work that takes too long. What is on its way arrives without us.
    mover?.stop();
    serving.closeIdle();
    const cut = serving.destroyBusy();
    // Whoever closes in order gets the time for it, also when others were cut.
    if (serving.stats.connections === 0) return cut;
    this.#deadlineMs = Infinity;
    await this.#emptyWithin({ graceMs: lingerMs, idle: 'close' });
    return cut;
  }

  /** Others may wait for these sockets: only a server that stops is the last one to accept from them. */
  async #closeToClients(graceMs: number): Promise<void> {
    const { servers, gate } = this.#running;
    this.#isAccepting = true;
    await closeToClients(servers, gate, graceMs);
    this.#isAccepting = false;
    this.#look();
  }

  /** how many there were at the beginning, and have been accepted since */
  get connections(): number {
    return this.#connections + this.#running.gate.intake.accepted - this.#accepted;
  }

  /** how many were closed while they were idle, so far */
  get closed(): number {
    return this.#running.serving.closedIdle - this.#closedBefore;
  }

  /** A later order counts when it is the stricter one: a whole server that stops waits for nobody who is idle. */
  hasten({ graceMs: givenMs, idle }: Departure): void {
    const { serving, mover } = this.#running;
    if (idle === 'close') mover?.stop();
    if ((idle === 'move' || idle === 'wait') && mover !== undefined) {
      mover.order(idle, givenMs);
      serving.moveWith(mover);
    }
    // After that: whether a response is the last of its connection hangs on it.
    serving.drain(givenMs);
    if (idle === 'close') this.#closeLongIdle(givenMs);
    const graceMs = timerMs(givenMs);
    const deadlineMs = performance.now() + graceMs;
    if (deadlineMs >= this.#deadlineMs) return;
    this.#deadlineMs = deadlineMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#over(this.#isEmpty), graceMs);
  }

  /** Clients that are about to ask get their answer; those that are not are closed, as soon as it is clear. */
  #closeLongIdle(graceMs: number): void {
    if (this.#stop !== undefined) return;
    const { serving } = this.#running;
    const times = lingerTimes(graceMs);
    const linger = new IdleLinger(times);
    const sinceMs = performance.now();
    this.#stop = { linger, times, sinceMs };
    const look = (): void => {
      const nowMs = performance.now();
      const idle = serving.idleConnections();
      for (const one of linger.overdue(idle ?? [], nowMs)) one.closeUnannounced();
      if (idle === undefined && nowMs - sinceMs >= times.firstRequestMs) serving.closeIdle();
      this.#look();
    };
    look();
    // Behind a look at the sockets: what came while this process could not run is read before anybody is closed.
    const lookSoon = (): void => void setImmediate(look);
    this.#looks = setInterval(lookSoon, Math.min(lookEveryMs, Math.max(1, times.idleMs))).unref();
  }

  get #isEmpty(): boolean {
    const { serving, mover } = this.#running;
    return serving.isEmpty && mover?.isEmpty !== false && !this.#isAccepting && !this.#isArriving;
  }

  /** TLS handshakes are under way; a server that stops does not wait for clients that take their time. */
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
        this.#look();
      });
      mover?.onChange(() => this.#look());
      gate.handshakes.onChange(() => this.#look());
      this.hasten(departure);
      this.#look();
    });
  }

  #look(): void {
    if (this.#isEmpty) this.#over(true);
  }
}
