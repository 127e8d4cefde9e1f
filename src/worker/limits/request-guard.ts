/**
 * Stands in front of the application where an option asks for it: tells health checks from other requests, and turns requests away with
 * 503. It decides by plain numbers that the master has given it, without asking anybody.
 */
import { STATUS_CODES } from 'node:http';
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
  /** when to come again (RFC 9110 §10.2.3) */
  readonly retryAfterSeconds: number;
}

/** A request takes milliseconds: in a second all may be different. */
const overloaded: Refusal = { code: 'OVERLOADED', retryAfterSeconds: 1 };

/** What of the peak is forgotten from report to report: a share is not given up for a lull of a moment. */
const forgottenPart = 1 / 8;

export class RequestGuard {
  readonly #isHealth: SkipsPath;
  readonly #countsHealth: boolean;
  #healthChecks = 0;
  #turnedAway = 0;
  /** requests that may be under way */
  #share: number;
  /** the most that were so lately */
  #peak = 0;
  /** the share was too small lately */
  #isShort = false;

  /** until when a route is kept away */
  readonly #quarantined = new Map<string, number>();

  constructor({ healthPaths, countsHealth, limitsRequests }: Guarding) {
    this.#isHealth = compileSkip(healthPaths) ?? (() => false);
    this.#countsHealth = countsHealth;
    this.#share = limitsRequests ? 0 : Infinity;
  }

  /** Undefined where there is nothing to stand in front for. */
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

  /** Why a request is turned away, with how many under way, itself included; undefined when it is not. Asked once a request. */
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

  /** These routes, and no others, are kept from the application. */
  quarantine(routes: readonly QuarantinedRoute[]): void {
    this.#quarantined.clear();
    const nowMs = performance.now();
    for (const { route, forMs } of routes) this.#quarantined.set(route, nowMs + forMs);
  }

  /** How many requests may be under way. */
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

/** Counts the requests under way, with the one in question. */
type CountUnderWay = () => number;

function responseTo({ code, retryAfterSeconds }: Refusal) {
  const status = errorTable[code].status ?? 503;
  const reason = STATUS_CODES[status] ?? 'Error';
  const text = `${status} ${reason}\n`;
  const headers: Array<[string, string]> = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(text.length)],
    ['Retry-After', String(retryAfterSeconds)],
  ];
  return { status, reason, headers, text };
}

/** The handler of our own loop behind a guard. */
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

/** The listener of node:http behind a guard. */
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
