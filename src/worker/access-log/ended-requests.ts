/**
 * Requests whose access lines are still to be made: all together at the end of the turn of the event loop. One after the other, they
 * find code and data in the processor's caches; a line on its own, between two requests, costs twice as much.
 */
import { emptyRecord, fill, clear } from './record.ts';
import type { AccessRecord, LoggedReport, LoggedRequest } from './record.ts';

/** Further ones do not wait for the end of the turn. */
const mostWaiting = 128;

export class EndedRequests {
  readonly #onRecord: (record: AccessRecord) => void;
  readonly #failed: (thrown: unknown) => void;
  /** Reused for each turn. */
  readonly #records = Array.from({ length: mostWaiting }, emptyRecord);
  #count = 0;
  #taken = 0;
  #isDue = false;

  /** `failed` gets what `onRecord` throws: the others have their lines all the same. */
  constructor(onRecord: (record: AccessRecord) => void, failed: (thrown: unknown) => void) {
    this.#onRecord = onRecord;
    this.#failed = failed;
  }

  add(request: LoggedRequest, report: LoggedReport, bodyBytes: number): void {
    // Not once it is full: the last one has its post hooks still to come.
    if (this.#count === mostWaiting) this.settle();
    fill(this.#records[this.#count]!, request, report, bodyBytes);
    this.#count += 1;
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#isDue = false;
    this.settle();
  };

  /** At once: the process may not live to the end of the turn. It may even end in here, and then this goes on where it was. */
  settle(): void {
    while (this.#taken < this.#count) {
      const record = this.#records[this.#taken]!;
      this.#taken += 1;
      try {
        this.#onRecord(record);
      } catch (thrown) {
        this.#failed(thrown);
      }
      clear(record);
    }
    this.#count = 0;
    this.#taken = 0;
  }
}
