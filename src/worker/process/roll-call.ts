/**
 * Reports to the master the requests that would be lost if this worker died silently: those that have been active for
 * longer than a moment, each with the access line that it would get then. Reports are sent four times a second while
 * requests come and go, once a second while they stay; requests themselves are not slowed down.
 */
import type { RequestUnderWay, WorkerToMaster } from '../../shared/protocol/messages.ts';
import type { Watch } from './alertness.ts';
import type { Serving } from '../loop/service.ts';

const lookEveryMs = 250;
/** checks per report while only the progress of requests changes */
const quietLooksPerCall = 4;
/** the most requests per report: the oldest */
const mostRequests = 100;
/** characters of all lines together, whose length clients choose; further requests are reported without a line */
const mostLineLength = 65_536;

type Send = (message: WorkerToMaster, handle: undefined, done: (error: Error | null) => void) => void;

/** Keeps as many lines as there is room for. Pure. */
export function withinRoom(requests: readonly RequestUnderWay[], most = mostLineLength): RequestUnderWay[] {
  let room = most;
  return requests.slice(0, mostRequests).map(({ line, ...summary }) => {
    if (line === undefined || line.length > room) return summary;
    room -= line.length;
    return { ...summary, line };
  });
}

export class RollCall implements Watch {
  readonly #serving: Pick<Serving, 'stats' | 'survey'>;
  readonly #send: Send;
  #before = { requests: 0, activeRequests: 0 };
  /** checks since a request began or ended */
  #quietLooks = 0;
  #toldAny = false;
  /** a report is pending; a master that does not read gets no more */
  #isSending = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(serving: Pick<Serving, 'stats' | 'survey'>, send: Send) {
    this.#serving = serving;
    this.#send = send;
  }

  start(): void {
    this.#timer = setInterval(this.look, lookEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    // The requests of the last report may have ended.
    this.look();
  }

  readonly look = (): void => {
    const { requests: begun, activeRequests } = this.#serving.stats;
    const isQuiet = begun === this.#before.requests && activeRequests === this.#before.activeRequests;
    this.#before = { requests: begun, activeRequests };
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    // Requests that began before the last check, or shortly before it, are old enough at this one.
    const isDue = this.#quietLooks <= 2 || this.#quietLooks % quietLooksPerCall === 0;
    if (!isDue || this.#isSending || (activeRequests === 0 && !this.#toldAny)) return;
    const requests = withinRoom(this.#serving.survey(lookEveryMs, mostRequests));
    if (requests.length === 0 && !this.#toldAny) return;
    this.#toldAny = requests.length > 0;
    this.#isSending = true;
    this.#send({ type: 'under-way', requests }, undefined, () => {
      this.#isSending = false;
    });
  };
}
