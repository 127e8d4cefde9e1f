/**
 * All messages between master and workers: one closed union per direction, validated on receipt. They hold plain data
 * only, since they are sent as JSON.
 */
import type { InterfaceName } from '../application.ts';
import type { ErrorCode } from '../errors.ts';
import type { ConnectionParts } from '../node-private/node-private.ts';
import type { Guarding, GuardingToMaster, GuardingToWorker } from './guarding.ts';
import type { ServerSettings } from '../options/table.ts';

/** A module and the name of its export, as in `path/to/module:export`. */
export interface ModuleReference {
  /** absolute path */
  path: string;
  /** undefined: the default export, or one of the usual names */
  exportName?: string | undefined;
}

/** What a generation runs. The master resolves it once, so all workers of the generation run the same. */
export interface Release {
  app: ModuleReference;
  middleware: ModuleReference[];
  interface: InterfaceName | 'auto';
}

/** A listening socket as a worker gets it. */
export interface WorkerBind {
  /** the address as users write it: '127.0.0.1:8080', '[::]:8080', 'unix:/run/app.sock' */
  name: string;
  kind: 'tcp' | 'unix';
  tls: boolean;
  /** inherited file descriptor in the worker; undefined when the master accepts and sends connections */
  fd?: number | undefined;
  backlog: number;
}

/** A request as logs and reports name it, with long parts cut (summaries.ts). */
export interface RequestSummary {
  method: string;
  target: string;
  peer: string;
  ageMs: number;
  /** present when it was received or generated */
  requestId?: string | undefined;
  traceparent?: string | undefined;
}

/** A request that is logged as cut if its worker dies, with the access line that it would get now, if it gets one. */
export interface RequestUnderWay extends RequestSummary {
  line?: string | undefined;
}

/** The state of a main thread in native code: it computes or waits, possibly for these child processes. */
export interface NativeBlock {
  state: 'computing' | 'waiting';
  children: string[];
}

/** What a worker's watchdog found out about a blocked main thread. */
export interface BlockReport {
  /** the JavaScript stack that blocks the event loop, in the format of Error; undefined when it is unknown */
  stack?: string | undefined;
  /** without a stack: the state that the kernel reports */
  native?: NativeBlock | undefined;
  /** active requests, oldest first; limited so that a report stays short */
  requests: RequestSummary[];
  /** the number of all active requests; undefined when they could not be counted */
  requestCount?: number | undefined;
}

/** How a worker watches its own event loop. */
export interface WatchdogPlan {
  /** inherited descriptor for the watchdog's messages, since the channel belongs to the main thread */
  fd: number;
  stuckMs: number;
}

/** Counters since the start. */
export interface ServingStats {
  connections: number;
  activeRequests: number;
  requests: number;
  pendingHooks: number;
  /** responses by class of status; other requests are active or got no response */
  answers2xx: number;
  answers3xx: number;
  answers4xx: number;
  answers5xx: number;
}

/** The counters of a worker, and the condition of its process. */
export interface WorkerStats extends ServingStats {
  rssBytes: number;
  /** mean delay of its event loop since the last report */
  lagMs: number;
  /** requests to the option healthPaths; 0 where they are not counted */
  healthChecks: number;
  /** requests that got 503 before they reached the application */
  turnedAway: number;
  /** connections that were sent to it since its start, including those that have ended */
  received: number;
  /** TLS connections that ended before they were ready for a request */
  failedHandshakes: number;
  /** the share of the time since the last report that its event loop was busy, 0 to 1 */
  utilisation: number;
  /** it has nothing to do, and reports less often until that changes */
  asleep: boolean;
}

/** A connection that moves to another process: the properties that its handle does not have. */
export interface MovingConnection {
  /** the addresses that applications see: behind a proxy these differ from the socket's */
  peer: {
    serverName: string;
    serverPort: string;
    remoteAddress: string;
    remotePort: string;
    scheme: 'http' | 'https';
  };
  /** requests that it has served; 0 when unknown */
  requests?: number | undefined;
  /** bytes received but not processed, base64 */
  rest?: string | undefined;
}

/**
 * Sent in both directions. Since a channel keeps the order, the answer to a 'sync' follows everything sent before it.
 * So a connection that was neither confirmed nor is listed in `here` was never received (a process without a free
 * descriptor loses the whole message).
 */
type Synchronisation = { type: 'sync'; upTo: number } | { type: 'synced'; upTo: number; here: number[] };

/**
 * Messages about moving connections (docs/architecture.md). An id is that of the sender, or the one that the sender was
 * given.
 */
export type MovingToWorker =
  /** comes with a handle: the worker serves the connection, and confirms */
  | { type: 'adopt'; id: number; connection: MovingConnection }
  /** another worker has adopted it: the worker closes its copy */
  | { type: 'moved'; id: number }
  /** no worker has adopted it: the worker continues to serve it */
  | { type: 'move-back'; id: number; because: 'no-worker' | 'not-received' }
  | Synchronisation;
export type MovingToMaster =
  /** comes with a handle: the master finds another worker for it */
  | { type: 'move'; id: number; connection: MovingConnection }
  | { type: 'adopted'; id: number }
  /** sent by a worker that is ending, or by a new master without a worker for it */
  | { type: 'refused'; id: number }
  | Synchronisation;

export type MasterToWorker =
  | MovingToWorker
  | GuardingToWorker
  | {
      type: 'configure';
      generation: number;
      release: Release;
      settings: ServerSettings;
      binds: WorkerBind[];
      /** which parts of Node's private API work */
      parts: ConnectionParts;
      /** the grace time if the master dies and can no longer send one */
      graceMs: number;
      /** whether the worker does not accept until 'resume', since another master still serves */
      standby: boolean;
      /** whether the worker is ready once loaded, or when the application calls `ready()` */
      ready: 'load' | 'signal';
      /** requests as 'GET:/path' that the worker serves to itself before it accepts */
      warmup: string[];
      /** undefined: there is no watchdog */
      watchdog?: WatchdogPlan | undefined;
      guarding: Guarding;
    }
  /**
   * `idle` says what happens to connections without a request. 'close': they are closed after a moment. 'keep': they
   * may send one more request within the grace time. 'move': they move, since another worker is ready. 'wait': they
   * move once another worker is ready. Connections that cannot move are kept.
   */
  | { type: 'drain'; graceMs: number; idle: 'close' | 'keep' | 'move' | 'wait' }
  /** the worker stops accepting and keeps its connections, until 'resume' */
  | { type: 'stand-by' }
  | { type: 'resume' }
  | { type: 'reopen-logs' }
  /** access lines of requests that died with another worker */
  | { type: 'account'; lines: string[] }
  /** comes with a socket that the master accepted, where workers cannot (see shared/node-private) */
  | { type: 'connection'; bind: number };

export type WorkerToMaster =
  | MovingToMaster
  | GuardingToMaster
  | { type: 'hello'; pid: number }
  /** the current step of its boot, for the message of a boot time-out */
  | { type: 'boot-step'; step: string }
  /** `interface`: the interface of the application */
  /** `isGuess`: nothing in the application states its interface */
  | { type: 'ready'; interface: InterfaceName; isGuess: boolean }
  /** the worker cannot boot and exits */
  | { type: 'failed'; code: ErrorCode; message: string; stack?: string | undefined }
  /** an uncaught exception: the worker exits, and these requests are cut */
  | { type: 'crashed'; message: string; stack?: string | undefined; requests?: RequestSummary[] | undefined }
  /** it has answered its first request */
  | { type: 'answered' }
  /** the application tried to send a message that Node or evy reserves */
  | { type: 'send-refused'; what: string; reason: string }
  | { type: 'stats'; stats: WorkerStats }
  /** the requests that would be cut if it died now */
  | { type: 'under-way'; requests: RequestUnderWay[] }
  /** an operator sent the worker itself a signal: it drains, and is to be replaced */
  | { type: 'leaving'; signal: 'SIGTERM' | 'SIGQUIT' }
  /**
   * the grace time is over, and these requests will be cut. `connections`: the number when it began to drain. `closed`:
   * the number of idle connections that it closed without an announcement
   */
  | { type: 'overdue'; requests: RequestSummary[]; connections: number; closed: number }
  | { type: 'drained'; connections: number; closed: number };

/** Messages of a worker's watchdog. They arrive while the process runs, even when its event loop is blocked. */
export type WatchdogToMaster =
  | { type: 'alive' }
  /** the event loop has been blocked for this long */
  | { type: 'busy'; blockedMs: number; report: BlockReport }
  /** the event loop runs again */
  | { type: 'recovered'; blockedMs: number }
  /** the event loop was blocked for longer than stuckTimeout: the worker is to be replaced */
  | { type: 'stuck'; blockedMs: number; report: BlockReport };

const toWorker: ReadonlySet<string> = new Set<MasterToWorker['type']>([
  'configure',
  'drain',
  'stand-by',
  'resume',
  'reopen-logs',
  'account',
  'shares',
  'quarantine',
  'connection',
  'adopt',
  'moved',
  'move-back',
  'sync',
  'synced',
]);
const aboutMoving: ReadonlySet<string> = new Set<(MovingToWorker | MovingToMaster)['type']>([
  'move',
  'adopt',
  'adopted',
  'refused',
  'moved',
  'move-back',
  'sync',
  'synced',
]);

/** evy's messages are in an envelope, since an application may send messages of its own on the same channel. */
export interface Envelope {
  evy: MasterToWorker | WorkerToMaster | WatchdogToMaster;
}

export function enclose(message: Envelope['evy']): Envelope {
  return { evy: message };
}

/** Parses a message from the master; undefined for any other message. */
export function fromMaster(value: unknown): MasterToWorker | undefined {
  const message = (value as Partial<Envelope> | null | undefined)?.evy;
  return typeof message === 'object' && toWorker.has(message?.type) ? (message as MasterToWorker) : undefined;
}

export function isMovingToMaster(message: WorkerToMaster): message is MovingToMaster {
  return aboutMoving.has(message.type);
}
export function isMovingToWorker(message: MasterToWorker): message is MovingToWorker {
  return aboutMoving.has(message.type);
}
