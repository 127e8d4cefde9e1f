/** What a load is asked to do, and what it counts. */
export interface LoadOptions {
  port: number;
  host?: string;
  /** over TLS, to whoever answers */
  tls?: boolean;
  path?: string;
  /** 'GET' by default; a POST, which has no body, is not sent again by a proxy that has sent it once */
  method?: 'GET' | 'POST';
  /** connections that stay; 50 by default */
  keepAlive?: number;
  /** connections for one request each; 4 by default */
  reconnecting?: number;
  /** mean pause between two requests of a connection; 5 ms by default, 0 for none */
  paceMs?: number;
  /** a request without its whole response after this counts as unanswered; 10 s by default */
  answerWithinMs?: number;
  /**
   * What a response's body has to be: a text, or 'echo-id' for the value of the request's X-Load-Id header (different
   * in each request, so an answer to somebody else's request shows). Nothing is looked at by default.
   */
  expect?: 'echo-id' | { text: string };
  /** counts the values of this response header, such as the worker's process id, in `seen` */
  countHeader?: string;
}

export interface LoadResult {
  /** whole responses that are as expected */
  ok: number;
  /** requests without a whole response: refused + reset + cut + unanswered */
  failed: number;
  refused: number;
  reset: number;
  /** the connection ended in order, but before the whole response */
  cut: number;
  unanswered: number;
  /** whole responses with a status other than 200 */
  non200: number;
  /** whole responses with a body other than expected, or that are not HTTP */
  wrong: number;
  /** connections that the server closed without having announced it, while no request was under way */
  closedIdle: number;
  /** keep-alive connections that the server ended with `Connection: close` */
  announcedClose: number;
  connects: number;
  /** of the header `countHeader`: value to number of responses */
  seen: Record<string, number>;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
  /** what happened, of the first failures */
  examples: string[];
}

const maxExamples = 20;
export type CountName =
  | 'ok'
  | 'refused'
  | 'reset'
  | 'cut'
  | 'unanswered'
  | 'non200'
  | 'wrong'
  | 'closedIdle'
  | 'announcedClose'
  | 'connects';

/** What all connections of a load count together. */
export class LoadCounts {
  readonly #counts: Record<CountName, number> = {
    ok: 0,
    refused: 0,
    reset: 0,
    cut: 0,
    unanswered: 0,
    non200: 0,
    wrong: 0,
    closedIdle: 0,
    announcedClose: 0,
    connects: 0,
  };
  readonly #seen = new Map<string, number>();
  readonly #latencies: number[] = [];
  readonly #examples: string[] = [];
  readonly #started = performance.now();

  add(name: CountName): void {
    this.#counts[name] += 1;
  }

  /** Counts something that ought not to happen, and remembers what it was. */
  addTrouble(name: CountName, what: string): void {
    this.add(name);
    const at = ((performance.now() - this.#started) / 1000).toFixed(3);
    if (this.#examples.length < maxExamples) this.#examples.push(`${at} s: ${name}: ${what}`);
  }

  addLatency(ms: number): void {
    this.#latencies.push(ms);
  }

  addSeen(value: string): void {
    this.#seen.set(value, (this.#seen.get(value) ?? 0) + 1);
  }

  result(): LoadResult {
    const sorted = this.#latencies.toSorted((a, b) => a - b);
    const quantile = (share: number) =>
      Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(2));
    const { refused, reset, cut, unanswered } = this.#counts;
    return {
      ...this.#counts,
      failed: refused + reset + cut + unanswered,
      seen: Object.fromEntries(this.#seen),
      p50Ms: quantile(0.5),
      p99Ms: quantile(0.99),
      maxMs: quantile(1),
      examples: [...this.#examples],
    };
  }
}
