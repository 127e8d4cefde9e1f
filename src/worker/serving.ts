/** What a worker does with accepted sockets, whichever loop serves them: our own (Service) or node:http (NodeService). */
import type { RequestSummary, ServingStats } from '../shared/messages.ts';
import type { Acceptor } from './listening.ts';

export interface Serving extends Acceptor {
  readonly stats: ServingStats;
  /** no connection and no post hook is left */
  readonly isEmpty: boolean;
  /** Calls back whenever `isEmpty` or the number of connections may have changed. */
  onChange(callback: () => void): void;
  requestsUnderWay(): RequestSummary[];
  /** From now on each response is the last of its connection. */
  drain(): void;
  closeIdle(): void;
  destroyAll(): void;
  reopenLogs(): void;
  /** Flushes what is buffered; the end. */
  stop(): Promise<void>;
}
