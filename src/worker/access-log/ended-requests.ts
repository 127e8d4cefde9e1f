/**
 * Requests whose lines are still to be made: together, at the end of the turn of the event loop. One behind the other they
 * find code and data in the processor's caches; a line on its own, between two requests, costs twice as much.
 */
import type { AccessRecord, LoggedRequest } from './record.ts';

/** what is beyond does not wait for the end of the turn */
const mostWaiting = 128;
const nobody = {} as LoggedRequest;
const newRecord = (): AccessRecord => ({ request: nobody, status: 0, bodyBytes: 0, seconds: 0, nowMs: 0 });

export class EndedRequests {
  readonly #take: (record: AccessRecord) => void;
  /** filled anew again and again */
  readonly #records = Array.from({ length: mostWaiting }, newRecord);
  #count = 0;
  #isDue = false;

  constructor(take: (record: AccessRecord) => void) {
    this.#take = take;
  }

  /** `status` is 0 when nothing was sent. */
  add(request: LoggedRequest, status: number, bodyBytes: number, seconds: number): void {
    const record = this.#records[this.#count]!;
    this.#count += 1;
    record.request = request;
    record.status = status;
    record.bodyBytes = bodyBytes;
    record.seconds = seconds;
    record.nowMs = Date.now();
    if (this.#count === mostWaiting) this.settle();
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#isDue = false;
    this.settle();
  };

  /** At once: the process may not live to the end of the turn. */
  settle(): void {
    const count = this.#count;
    this.#count = 0;
    for (let index = 0; index < count; index += 1) {
      const record = this.#records[index]!;
      this.#take(record);
      record.request = nobody;
    }
  }
}
