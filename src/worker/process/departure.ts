/** How a worker leaves: it accepts no more, finishes what it has within the grace time, and tells what it could not. */
import { performance } from 'node:perf_hooks';
import type { MasterToWorker, RequestSummary } from '../../shared/protocol/messages.ts';
import { stopListening } from '../accepting/listening.ts';
import { timerMs } from '../transport/longest-timer.ts';
import type { Running } from './boot.ts';
import type { Handshakes } from '../accepting/handshakes.ts';

/** idle clients that were told to close get this long to see it */
const lingerMs = 500;

export type Departure = Omit<Extract<MasterToWorker, { type: 'drain' }>, 'type'>;

/** What leaves. `handshakes` are those of TLS, which a worker waits for unless all of the server stops. */
type Parts = Omit<Running, 'gate' | 'interface' | 'isGuess'> & {
  readonly handshakes?: Pick<Handshakes, 'count' | 'onChange'>;
};

export class Leaving {
  readonly #running: Parts;
  #connections = 0;
  #closesIdle = false;
  #deadlineMs = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #over: (isEmpty: boolean) => void = () => {};

  constructor(running: Parts) {
    this.#running = running;
  }

  /**
   * Resolves with what is left when there is nothing more to wait for: nothing, or the requests that the grace time
   * cuts. Post hooks that are still running count as work, too.
   */
  async begin(departure: Departure): Promise<RequestSummary[]> {
    const { serving, servers, mover } = this.#running;
    for (const server of servers) stopListening(server);
    this.#connections = serving.stats.connections;
    if (await this.#emptyWithin(departure)) return [];
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

  /** how many there were at the beginning */
  get connections(): number {
    return this.#connections;
  }

  /** how many were closed while they were idle, so far */
  get closed(): number {
    return this.#running.serving.closedIdle;
  }

  /** A later order counts when it is the stricter one: a whole server that stops waits for nobody who is idle. */
  hasten({ graceMs: givenMs, idle }: Departure): void {
    const { serving, mover } = this.#running;
    if (idle === 'close') {
      this.#closesIdle = true;
      mover?.stop();
    }
    if ((idle === 'move' || idle === 'wait') && mover !== undefined) {
      mover.order(idle, givenMs);
      serving.moveWith(mover);
    }
    // After that: whether a response is the last of its connection hangs on it.
    serving.drain(givenMs);
    if (idle === 'close') serving.closeIdle();
    const graceMs = timerMs(givenMs);
    const deadlineMs = performance.now() + graceMs;
    if (deadlineMs >= this.#deadlineMs) return;
    this.#deadlineMs = deadlineMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#over(this.#isEmpty), graceMs);
  }

  get #isEmpty(): boolean {
    const { serving, mover, handshakes } = this.#running;
    const isArriving = !this.#closesIdle && (handshakes?.count ?? 0) > 0;
    return serving.isEmpty && mover?.isEmpty !== false && !isArriving;
  }

  #emptyWithin(departure: Departure): Promise<boolean> {
    const { serving, mover, handshakes } = this.#running;
    return new Promise((resolve) => {
      this.#over = (isEmpty) => {
        clearTimeout(this.#timer);
        resolve(isEmpty);
      };
      const look = () => {
        if (this.#isEmpty) this.#over(true);
      };
      serving.onChange(look);
      mover?.onChange(look);
      handshakes?.onChange(look);
      this.hasten(departure);
      look();
    });
  }
}
