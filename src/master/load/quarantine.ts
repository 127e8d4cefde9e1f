/**
 * Quarantine keeps routes from the application after workers crashed while they served them.
 *
 * A route that was active in `crashes` crashes within `windowMs` is quarantined for `forMs`; after that its count
 * starts again at 0. Other routes that were active in the same crashes are counted too, since one crash alone does not
 * show which route caused it.
 */
import type { Logger } from '../../shared/log/log.ts';
import type { QuarantinedRoute } from '../../shared/protocol/guarding.ts';
import type { MasterToWorker, RequestSummary } from '../../shared/protocol/messages.ts';
import { routeOf } from '../../shared/protocol/route.ts';
import type { Generation } from '../generations/generation.ts';

export interface QuarantineRules {
  /** 0 disables the quarantine */
  readonly crashes: number;
  readonly windowMs: number;
  readonly forMs: number;
}

export interface Quarantine {
  /** when workers crashed while they served a route, oldest first */
  readonly crashes: ReadonlyMap<string, readonly number[]>;
  /** until when a route is in quarantine */
  readonly until: ReadonlyMap<string, number>;
}

export const noQuarantine: Quarantine = { crashes: new Map(), until: new Map() };

/** Counts a crash for the routes that were active in it. */
export function noteCrash(
  { crashes, until }: Quarantine,
  routes: ReadonlySet<string>,
  nowMs: number,
  { crashes: most, windowMs, forMs }: QuarantineRules,
): Quarantine {
  const counted = new Map<string, readonly number[]>();
  for (const [route, times] of crashes) {
    const recent = times.filter((time) => nowMs - time < windowMs);
    if (recent.length > 0) counted.set(route, recent);
  }
  const kept = new Map(until);
  for (const route of routes) {
    const times = [...(counted.get(route) ?? []), nowMs];
    if (times.length < most) counted.set(route, times);
    else {
      counted.delete(route);
      kept.set(route, nowMs + forMs);
    }
  }
  return { crashes: counted, until: kept };
}

/** Drops the routes whose quarantine is over. */
export function dropExpired(quarantine: Quarantine, nowMs: number): Quarantine {
  return { ...quarantine, until: new Map([...quarantine.until].filter(([, untilMs]) => untilMs > nowMs)) };
}

type QuarantineMessage = Extract<MasterToWorker, { type: 'quarantine' }>;

export interface QuarantineParts {
  readonly logger: Logger;
  /** generations that may still have workers */
  readonly generations: () => ReadonlySet<number>;
  readonly broadcast: (generation: number, message: QuarantineMessage) => void;
}

/** Keeps routes that crashed workers from the other workers of their generation. A new generation starts without quarantines. */
export class Quarantines {
  readonly #parts: QuarantineParts;
  readonly #quarantines = new Map<number, Quarantine>();

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
  }

  /** The message with the quarantine for a new worker; undefined when there is none. */
  messageFor(generation: number): QuarantineMessage | undefined {
    const nowMs = performance.now();
    const routes = [...dropExpired(this.#of(generation), nowMs).until].map(([route, untilMs]): QuarantinedRoute => ({
      route,
      forMs: Math.ceil(untilMs - nowMs),
    }));
    return routes.length === 0 ? undefined : { type: 'quarantine', routes };
  }

  /** Counts a crash of a worker for its active requests. */
  noteCrash({ number, options }: Pick<Generation, 'number' | 'options'>, requests: readonly RequestSummary[]): void {
    const { quarantine: crashes, quarantineWindowMs: windowMs, quarantineTimeMs: forMs } = options;
    if (crashes === 0 || requests.length === 0) return;
    this.#forgetUnwanted();
    const nowMs = performance.now();
    const before = dropExpired(this.#of(number), nowMs);
    const routes = new Set(requests.map(({ method, target }) => routeOf(method, target)));
    const after = noteCrash(before, routes, nowMs, { crashes, windowMs, forMs });
    this.#quarantines.set(number, after);
    const added = [...routes].filter((route) => after.until.get(route) !== before.until.get(route));
    for (const route of added)
      this.#parts.logger.error('route.quarantined', { route, generation: number, crashes, forMs });
    const message = added.length === 0 ? undefined : this.messageFor(number);
    if (message) this.#parts.broadcast(number, message);
  }

  #of(generation: number): Quarantine {
    return this.#quarantines.get(generation) ?? noQuarantine;
  }

  #forgetUnwanted(): void {
    const wanted = this.#parts.generations();
    for (const generation of this.#quarantines.keys())
      if (!wanted.has(generation)) this.#quarantines.delete(generation);
  }
}
