/** How a worker leaves: it accepts no more, finishes what it has within the grace time, and tells what it could not. */
import { performance } from 'node:perf_hooks';
import type { Departed, RequestSummary } from '../shared/messages.ts';
import { stopListening } from './listening.ts';
import type { Running } from './boot.ts';

/** Longer ones overflow a timer (setTimeout takes 2^31-1 ms). */
const longestTimerMs = 2 ** 31 - 1;
/** idle clients that were told to close get this long to see it */
const lingerMs = 500;

export interface Departure {
  graceMs: number;
  idle: 'close' | 'keep';
}

export class Leaving {
  readonly #running: Omit<Running, 'gate'>;
  #connections = 0;
  #cut = 0;
  /** connections that were handed over to another worker */
  moved = 0;
  #deadlineMs = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #over: (isEmpty: boolean) => void = () => {};

  constructor(running: Omit<Running, 'gate'>) {
    this.#running = running;
  }

  /**
   * Resolves with what is left when there is nothing more to wait for: nothing, or the requests that the grace time
   * cuts. Post hooks that are still running count as work, too.
   */
  async begin(departure: Departure): Promise<RequestSummary[]> {
    const { serving, servers } = this.#running;
    for (const server of servers) stopListening(server);
    this.#connections = serving.stats.connections;
    serving.drain();
    if (await this.#emptyWithin(departure)) return [];
    // Only clients that never asked again are left, or work that takes too long.
    serving.closeIdle();
    const cut = serving.requestsUnderWay();
    this.#cut = cut.length;
    if (cut.length > 0 || serving.stats.pendingHooks > 0) return cut;
    this.#deadlineMs = Infinity;
    await this.#emptyWithin({ graceMs: lingerMs, idle: 'close' });
    return [];
  }

  /** What became of the connections, once `begin` has resolved. One that the master handed over late is not counted. */
  get departed(): Departed {
    const { moved } = this;
    return { moved, drained: Math.max(0, this.#connections - moved - this.#cut) };
  }

  /** A later order counts when it is the stricter one: a whole server that stops waits for nobody who is idle. */
  hasten({ graceMs: givenMs, idle }: Departure): void {
    if (idle === 'close') this.#running.serving.closeIdle();
    const graceMs = Math.min(givenMs, longestTimerMs);
    const deadlineMs = performance.now() + graceMs;
    if (deadlineMs >= this.#deadlineMs) return;
    this.#deadlineMs = deadlineMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#over(this.#running.serving.isEmpty), graceMs);
  }

  #emptyWithin(departure: Departure): Promise<boolean> {
    const { serving } = this.#running;
    return new Promise((resolve) => {
      this.#over = (isEmpty) => {
        clearTimeout(this.#timer);
        resolve(isEmpty);
      };
      serving.onChange(() => {
        if (serving.isEmpty) this.#over(true);
      });
      this.hasten(departure);
      if (serving.isEmpty) this.#over(true);
    });
  }
}
