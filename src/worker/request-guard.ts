/**
 * Stands in front of the application where an option wants it: tells health checks from other requests, and says which
 * requests are turned away. It decides in plain numbers that the master has given it; nothing is asked, nothing is sent.
 */
import type { Guarding } from '../shared/messages.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { pathOf } from '../shared/route.ts';
import { compileSkip } from './access-log/skip.ts';
import type { SkipsPath } from './access-log/skip.ts';

export interface Refusal {
  readonly code: ErrorCode;
  /** when to come again (RFC 9110 §10.2.3) */
  readonly retryAfterSeconds: number;
}

export class RequestGuard {
  readonly #isHealth: SkipsPath;
  readonly #countsHealth: boolean;
  #healthChecks = 0;

  constructor({ healthPaths, countsHealth }: Guarding) {
    this.#isHealth = compileSkip(healthPaths) ?? (() => false);
    this.#countsHealth = countsHealth;
  }

  /** Undefined where there is nothing to stand in front for. */
  static of(guarding: Guarding): RequestGuard | undefined {
    return guarding.countsHealth ? new RequestGuard(guarding) : undefined;
  }

  /** so far */
  get healthChecks(): number {
    return this.#healthChecks;
  }

  /** Why a request is turned away, with how many under way, itself included; undefined when it is not. Asked once a request. */
  refusalOf(_method: string, target: string, _underWay: number): Refusal | undefined {
    if (this.#countsHealth && this.#isHealth(pathOf(target))) this.#healthChecks += 1;
    return undefined;
  }
}
