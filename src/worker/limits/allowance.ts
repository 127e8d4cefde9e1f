/**
 * This worker's shares of the limits of the whole server. The master sends them, and gets their usage ten times a
 * second if it has changed. The gatekeeper enforces the share of connections, the guard that of requests.
 */
import type { Guarding, GuardingToMaster, Shares } from '../../shared/protocol/guarding.ts';
import type { Gatekeeper } from '../accepting/gatekeeper.ts';
import type { RequestGuard } from './request-guard.ts';
import type { Serving } from '../loop/service.ts';

export interface AllowanceParts {
  readonly guarding: Guarding;
  readonly serving: Pick<Serving, 'stats' | 'activeRequests'>;
  readonly gate: Pick<Gatekeeper, 'allow' | 'usage'>;
  readonly guard: RequestGuard | undefined;
  readonly send: (message: GuardingToMaster) => void;
}

const reportEveryMs = 100;
/** The first share arrives quickly, unless the master is busy or the limit is used up. */
const longestWaitMs = 300;

export class Allowance {
  readonly #parts: AllowanceParts;
  #serial = 0;
  #told = '';
  #granted: () => void = () => {};
  #timer: NodeJS.Timeout | undefined;

  private constructor(parts: AllowanceParts) {
    this.#parts = parts;
    parts.gate.allow(0);
  }

  /** Undefined where no limit holds for the whole server. Until the first shares arrive, nothing is accepted. */
  static of(parts: AllowanceParts): Allowance | undefined {
    const { limitsConnections, limitsRequests } = parts.guarding;
    return limitsConnections || limitsRequests ? new Allowance(parts) : undefined;
  }

  /** Asks for shares; resolves when they arrive, or after a while. */
  async begin(): Promise<void> {
    const granted = new Promise<void>((resolve) => {
      this.#granted = resolve;
      setTimeout(resolve, longestWaitMs).unref();
    });
    this.#report();
    this.#timer = setInterval(() => this.#tick(), reportEveryMs).unref();
    await granted;
  }

  receive({ serial, connections = Infinity, requests = Infinity }: Shares): void {
    this.#serial = serial;
    this.#parts.guard?.allow(requests);
    // Without a share of requests, connections are left to other workers.
    this.#parts.gate.allow(requests === 0 ? 0 : connections);
    if (connections > 0 && requests > 0) this.#granted();
    this.#report();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    this.#report();
    this.#parts.guard?.forgetPeak(this.#parts.serving.activeRequests);
  }

  #report(): void {
    const { guarding, serving, gate, guard, send } = this.#parts;
    const message: GuardingToMaster = { type: 'usage', serial: this.#serial };
    if (guarding.limitsConnections) message.connections = gate.usage(serving.stats.connections);
    if (guarding.limitsRequests) message.requests = guard?.usage(serving.activeRequests);
    const text = JSON.stringify(message);
    if (text === this.#told) return;
    this.#told = text;
    send(message);
  }
}
