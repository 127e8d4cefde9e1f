/** One wait with an end, which may be set anew. */
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

  /** In the place of the one before. What is longer than a timer can be ends with that. */
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
