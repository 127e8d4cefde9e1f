/** Keeps routes that took workers down from the next ones of their generation; see quarantine.ts. A new release has a clean slate. */
import type { QuarantinedRoute } from '../../shared/protocol/guarding.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { MasterToWorker, RequestSummary } from '../../shared/protocol/messages.ts';
import { routeOf } from '../../shared/protocol/route.ts';
import type { Generation } from '../generations/generation.ts';
import { noQuarantine, noteCrash, release } from './quarantine.ts';
import type { Quarantine } from './quarantine.ts';

type QuarantineMessage = Extract<MasterToWorker, { type: 'quarantine' }>;

export interface QuarantineParts {
  readonly logger: Logger;
  /** those that there may still be workers of */
  readonly generations: () => ReadonlySet<number>;
  readonly broadcast: (generation: number, message: QuarantineMessage) => void;
}

export class Quarantines {
  readonly #parts: QuarantineParts;
  readonly #quarantines = new Map<number, Quarantine>();

  constructor(parts: QuarantineParts) {
    this.#parts = parts;
  }

  /** What a new worker is to know; undefined when there is nothing. */
  messageFor(generation: number): QuarantineMessage | undefined {
    const nowMs = performance.now();
    const routes = [...release(this.#of(generation), nowMs).until].map(([route, untilMs]): QuarantinedRoute => ({
      route,
      forMs: Math.ceil(untilMs - nowMs),
    }));
    return routes.length === 0 ? undefined : { type: 'quarantine', routes };
  }

  /** A worker crashed with these requests under way. */
  noteCrash({ number, options }: Pick<Generation, 'number' | 'options'>, requests: readonly RequestSummary[]): void {
    const { quarantine: crashes, quarantineWindowMs: windowMs, quarantineTimeMs: forMs } = options;
    if (crashes === 0 || requests.length === 0) return;
    this.#forgetUnwanted();
    const nowMs = performance.now();
    const before = release(this.#of(number), nowMs);
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
