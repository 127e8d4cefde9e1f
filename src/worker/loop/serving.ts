/** What a worker does with accepted connections, whichever loop serves them: our own (Service) or node:http (NodeService). */
import type {
  MovingConnection,
  RequestSummary,
  RequestUnderWay,
  ServingStats,
} from '../../shared/protocol/messages.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { Acceptor } from '../accepting/listening.ts';
import type { Mover } from '../migration/mover.ts';
import type { IdleConnection } from '../transport/idle.ts';

export interface Serving extends Acceptor {
  readonly stats: ServingStats;
  /** as `stats` has it */
  readonly activeRequests: number;
  /** no connection and no post hook is left */
  readonly isEmpty: boolean;
  /** Calls back whenever `isEmpty` or the number of connections may have changed. */
  onChange(callback: () => void): void;
  /** Oldest first. Without those whose socket the application took over. */
  requestsUnderWay(): RequestSummary[];
  /** Those of them that are older than that, each with the access line that it would have if it were cut now. */
  survey(olderThanMs: number, most: number): RequestUnderWay[];
  /** The process is about to be killed: writes the access lines of what is under way, at once. No hook runs. */
  lastWords(): void;
  /** Serves a connection that another process has served so far. */
  adopt(connection: MovingConnection, handle: PassedHandle): void;
  /** From now on each response is the last of its connection, unless that moves. A later order may only be stricter. */
  drain(graceMs: number): void;
  /** Lets connections move, idle ones at once, others after their response. Called again when there is somewhere to go again. */
  moveWith(mover: Mover): void;
  /** Closes what is idle, now and whenever a connection becomes so. */
  closeIdle(): void;
  /** Connections without a request, as of now; undefined where node:http does not tell. */
  idleConnections(): Iterable<IdleConnection> | undefined;
  /** idle connections that were closed here, which their clients were not told of */
  readonly closedIdle: number;
  /**
   * Cuts the requests under way and the sockets that were taken over, and tells which. Leaves connections that close in order to
   * their clients.
   */
  destroyBusy(): RequestSummary[];
  destroyAll(): void;
  reopenLogs(): void;
  /** Flushes what is buffered; the end. */
  stop(): Promise<void>;
}
