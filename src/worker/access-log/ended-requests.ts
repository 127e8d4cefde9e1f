/**
 * Requests whose access lines are made together at the end of the turn of the event loop. Made one after the other,
 * they find code and data in the processor's caches; a single line between two requests costs twice as much.
 */
import { emptyRecord, fill, clear } from './record.ts';
import type { AccessRecord, LoggedReport, LoggedRequest } from './record.ts';

/** With this many, requests are processed before the end of the turn. */
const mostWaiting = 128;

export class EndedRequests {
  readonly #onRecord: (record: AccessRecord) => void;
  readonly #failed: (thrown: unknown) => void;
  /** Reused for each turn. */
  readonly #records = Array.from({ length: mostWaiting }, emptyRecord);
  #count = 0;
  #taken = 0;
  #isDue = false;

  /** `failed` gets the exceptions of `onRecord`; the other lines are still made. */
  constructor(onRecord: (record: AccessRecord) => void, failed: (thrown: unknown) => void) {
    this.#onRecord = onRecord;
    this.#failed = failed;
  }

  add(request: LoggedRequest, report: LoggedReport, bodyBytes: number): void {
    // When it is full, the newest request waits, since its post hooks have not run.
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

  /**
   * Processes the requests now, since the process may end before the end of the turn. It may even end within this call;
   * then the next call continues where this one was.
   */
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
