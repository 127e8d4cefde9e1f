/** A deadline: one timer, which can be set again and whose remaining time can be read. */
const longestTimerMs = 2 ** 31 - 1;

export class Deadline {
  readonly #expire: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Infinity;

  constructor(expire: () => void) {
    this.#expire = expire;
  }

  /** Infinity when there is none. */
  get leftMs(): number {
    return this.#atMs - performance.now();
  }

  /** Replaces the previous deadline. A time beyond the maximum of a timer is cut to that maximum. */
  set(ms: number): void {
    this.clear();
    this.#atMs = performance.now() + ms;
    this.#timer = setTimeout(this.#expire, Math.min(ms, longestTimerMs));
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#atMs = Infinity;
  }
}
