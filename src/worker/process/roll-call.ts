/**
 * What the master is to know of a worker that dies without a word: the requests that are under way for longer than a moment, each with the
 * access line that it would have then. They are told four times a second while they come and go, once a second while they stay; a request
 * pays nothing for it.
 */
import type { RequestUnderWay, WorkerToMaster } from '../../shared/protocol/messages.ts';
import type { Serving } from '../loop/service.ts';

const lookEveryMs = 250;
/** while nothing changes but how far the requests have got */
const quietLooksPerCall = 4;
/** what is told at a time: the oldest */
const mostRequests = 100;
/** of lines in all, whose length is the clients' to choose; who finds no room is told without */
const mostLineLength = 65_536;

type Send = (message: WorkerToMaster, handle: undefined, done: (error: Error | null) => void) => void;

/** As many lines as there is room for. Pure. */
export function withinRoom(requests: readonly RequestUnderWay[], most = mostLineLength): RequestUnderWay[] {
  let room = most;
  return requests.slice(0, mostRequests).map(({ line, ...summary }) => {
    if (line === undefined || line.length > room) return summary;
    room -= line.length;
    return { ...summary, line };
  });
}

export class RollCall {
  readonly #serving: Pick<Serving, 'stats' | 'survey'>;
  readonly #send: Send;
  #before = { requests: 0, activeRequests: 0 };
  /** since a request began or ended */
  #quietLooks = 0;
  #toldAny = false;
  /** a master that does not read is told nothing more */
  #isSending = false;

  constructor(serving: Pick<Serving, 'stats' | 'survey'>, send: Send) {
    this.#serving = serving;
    this.#send = send;
  }

  start(): void {
    setInterval(this.look, lookEveryMs).unref();
  }

  readonly look = (): void => {
    const { requests: begun, activeRequests } = this.#serving.stats;
    const isQuiet = begun === this.#before.requests && activeRequests === this.#before.activeRequests;
    this.#before = { requests: begun, activeRequests };
    this.#quietLooks = isQuiet ? this.#quietLooks + 1 : 0;
    // Those that began before the last look, or right before that, are old enough at this one.
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
