/**
 * Stands in front of the application where an option wants it: tells health checks from other requests, and says which
 * requests are turned away. It decides in plain numbers that the master has given it; nothing is asked, nothing is sent.
 */
import type { Guarding, Usage } from '../shared/guarding.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { pathOf } from '../shared/route.ts';
import { compileSkip } from './access-log/skip.ts';
import type { SkipsPath } from './access-log/skip.ts';

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

  constructor({ healthPaths, countsHealth, limitsRequests }: Guarding) {
    this.#isHealth = compileSkip(healthPaths) ?? (() => false);
    this.#countsHealth = countsHealth;
    this.#share = limitsRequests ? 0 : Infinity;
  }

  /** Undefined where there is nothing to stand in front for. */
  static of(guarding: Guarding): RequestGuard | undefined {
    return guarding.countsHealth || guarding.limitsRequests ? new RequestGuard(guarding) : undefined;
  }

  /** so far */
  get healthChecks(): number {
    return this.#healthChecks;
  }
  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** Why a request is turned away, with how many under way, itself included; undefined when it is not. Asked once a request. */
  refusalOf(_method: string, target: string, underWay: number): Refusal | undefined {
    if (underWay > this.#peak) this.#peak = underWay;
    if (this.#countsHealth && this.#isHealth(pathOf(target))) {
      this.#healthChecks += 1;
      return undefined;
    }
    if (underWay > this.#share && !this.#isHealth(pathOf(target))) {
      this.#isShort = true;
      return this.#turnAway(overloaded);
    }
    return undefined;
  }

  /** How many requests may be under way. */
  allow(share: number): void {
    this.#share = share;
  }

  usage(underWay: number): Usage {
    const wanted = this.#isShort ? 2 * this.#peak + 1 : this.#peak;
    return { now: underWay, wanted };
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
