/**
 * The deadline of requests (option requestTimeout), without any cost when a request begins.
 *
 * At each tick of a coarse clock the active requests are checked; the time of each counts from the first tick that sees
 * it. So a deadline is never early and at most three ticks late, and requests that end between two ticks, as nearly all
 * do, are never seen. Time in which the process could not run does not count (clock.ts).
 */
import { EvyError } from '../../shared/errors.ts';
import { Clock } from '../transport/clock.ts';
import type { Expiring, TimeSource } from '../transport/clock.ts';

export function requestTimedOut(): EvyError {
  return new EvyError('REQUEST_TIMEOUT', 'the response was not complete in time (option requestTimeout)');
}

export class RequestDeadlines<Request extends object> implements Expiring {
  // Always in the past, so that the clock calls at each tick.
  readonly readDeadlineMs = 0;
  readonly writeDeadlineMs = Infinity;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #underWay: () => Iterable<Request>;
  readonly #timeOut: (request: Request) => void;
  /** when each was first seen */
  #seen = new Map<Request, number>();

  constructor(
    timeoutMs: number,
    underWay: () => Iterable<Request>,
    timeOut: (request: Request) => void,
    time: TimeSource,
  ) {
    this.#timeoutMs = timeoutMs;
    this.#underWay = underWay;
    this.#timeOut = timeOut;
    this.#clock = new Clock(new Set([this]), time);
    this.#clock.start();
  }

  /** Undefined when there is no limit. */
  static of<Request extends object>(
    timeoutMs: number,
    underWay: () => Iterable<Request>,
    timeOut: (request: Request) => void,
    time: TimeSource,
  ): RequestDeadlines<Request> | undefined {
    return timeoutMs > 0 ? new RequestDeadlines(timeoutMs, underWay, timeOut, time) : undefined;
  }

  expire(): void {
    const { nowMs } = this.#clock;
    const seen = new Map<Request, number>();
    for (const request of this.#underWay()) seen.set(request, this.#seen.get(request) ?? nowMs);
    this.#seen = seen;
    // In a second loop, since a time-out changes the set of active requests.
    for (const [request, sinceMs] of seen) if (nowMs - sinceMs >= this.#timeoutMs) this.#timeOut(request);
  }

  stop(): void {
    this.#clock.stop();
  }
}
