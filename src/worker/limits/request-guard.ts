/**
 * Checks requests before the application gets them, where an option needs it: it counts health checks, and refuses
 * requests with 503. It decides with numbers that the master has sent, without a message per request.
 */
import { nodeHttp } from '../../shared/lazy-node.ts';
import type { NodeListener } from '../../shared/application.ts';
import type { Guarding, QuarantinedRoute, Usage } from '../../shared/protocol/guarding.ts';
import { errorTable } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { pathOf, routeOf } from '../../shared/protocol/route.ts';
import { compileSkip } from '../access-log/skip.ts';
import type { SkipsPath } from '../access-log/skip.ts';
import type { Handler } from '../loop/exchange.ts';

export interface Refusal {
  readonly code: ErrorCode;
  /** after how many seconds to retry (RFC 9110 §10.2.3) */
  readonly retryAfterSeconds: number;
}

/** A request takes milliseconds, so after a second the load may be different. */
const overloaded: Refusal = { code: 'OVERLOADED', retryAfterSeconds: 1 };

/** The part of the peak that each report forgets, so that a short lull does not give up a share. */
const forgottenPart = 1 / 8;

export class RequestGuard {
  readonly #isHealth: SkipsPath;
  readonly #countsHealth: boolean;
  #healthChecks = 0;
  #turnedAway = 0;
  /** how many requests may be in progress */
  #share: number;
  /** the recent maximum */
  #peak = 0;
  /** whether the share was too small recently */
  #isShort = false;

  /** until when a route is in quarantine */
  readonly #quarantined = new Map<string, number>();

  constructor({ healthPaths, countsHealth, limitsRequests }: Guarding) {
    this.#isHealth = compileSkip(healthPaths) ?? (() => false);
    this.#countsHealth = countsHealth;
    this.#share = limitsRequests ? 0 : Infinity;
  }

  /** Undefined when there is nothing to check. */
  static of(guarding: Guarding): RequestGuard | undefined {
    const { countsHealth, limitsRequests, quarantines } = guarding;
    return countsHealth || limitsRequests || quarantines ? new RequestGuard(guarding) : undefined;
  }

  /** so far */
  get healthChecks(): number {
    return this.#healthChecks;
  }
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /**
   * Returns why a request is refused, or undefined. `underWay` is the number of requests in progress, including this
   * one. To be called once per request.
   */
  refusalOf(method: string, target: string, underWay: number): Refusal | undefined {
    if (underWay > this.#peak) this.#peak = underWay;
    if (this.#countsHealth && this.#isHealth(pathOf(target))) {
      this.#healthChecks += 1;
      return undefined;
    }
    if (underWay > this.#share && !this.#isHealth(pathOf(target))) {
      this.#isShort = true;
      return this.#turnAway(overloaded);
    }
    return this.#quarantined.size === 0 ? undefined : this.#quarantineOf(method, target);
  }

  #quarantineOf(method: string, target: string): Refusal | undefined {
    const route = routeOf(method, target);
    const untilMs = this.#quarantined.get(route);
    if (untilMs === undefined || this.#isHealth(pathOf(target))) return undefined;
    const leftMs = untilMs - performance.now();
    if (leftMs > 0) return this.#turnAway({ code: 'QUARANTINED', retryAfterSeconds: Math.ceil(leftMs / 1000) });
    this.#quarantined.delete(route);
    return undefined;
  }

  /** Sets the routes in quarantine. */
  quarantine(routes: readonly QuarantinedRoute[]): void {
    this.#quarantined.clear();
    const nowMs = performance.now();
    for (const { route, forMs } of routes) this.#quarantined.set(route, nowMs + forMs);
  }

  /** Sets how many requests may be in progress. */
  allow(share: number): void {
    this.#share = share;
  }

  usage(underWay: number): Usage {
    return { now: underWay, wanted: this.#peak, isShort: this.#isShort };
  }

  forgetPeak(underWay: number): void {
    this.#isShort = false;
    this.#peak = Math.max(underWay, this.#peak - Math.ceil(this.#peak * forgottenPart));
  }

  #turnAway(refusal: Refusal): Refusal {
    this.#turnedAway += 1;
    return refusal;
  }
}

/** Counts the requests in progress, including the current one. */
type CountUnderWay = () => number;

function responseTo({ code, retryAfterSeconds }: Refusal) {
  const status = errorTable[code].status ?? 503;
  const reason = nodeHttp().STATUS_CODES[status] ?? 'Error';
  const text = `${status} ${reason}\n`;
  const headers: Array<[string, string]> = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(text.length)],
    ['Retry-After', String(retryAfterSeconds)],
  ];
  return { status, reason, headers, text };
}

/** Wraps the handler of evy's own loop with a guard. */
export function guardHandler(handler: Handler, guard: RequestGuard, underWay: CountUnderWay): Handler {
  return (exchange) => {
    const refusal = guard.refusalOf(exchange.method, exchange.target, underWay());
    if (refusal === undefined) {
      handler(exchange);
      return;
    }
    const { status, reason, headers, text } = responseTo(refusal);
    exchange.start(`${status} ${reason}`, headers);
    exchange.respond([text]);
  };
}

/** Wraps the listener of node:http with a guard. */
export function guardListener(listener: NodeListener, guard: RequestGuard, underWay: CountUnderWay): NodeListener {
  return (request, response) => {
    const refusal = guard.refusalOf(request.method ?? '', request.url ?? '', underWay());
    if (refusal === undefined) return listener(request, response);
    const { status, reason, headers, text } = responseTo(refusal);
    for (const [name, value] of headers) response.setHeader(name, value);
    response.statusCode = status;
    response.statusMessage = reason;
    response.end(text);
    return undefined;
  };
}
