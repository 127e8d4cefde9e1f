/**
 * The whole vocabulary between master and workers: one closed union a direction, checked at the door.
 * Plain data only (it crosses the process boundary as JSON).
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
  /** undefined: the default export, or the usual names */
  exportName?: string | undefined;
}

/** What a generation runs: resolved once by the master, the same for each of its workers. */
export interface Release {
  app: ModuleReference;
  middleware: ModuleReference[];
  interface: InterfaceName | 'auto';
}

/** A listening socket as a worker gets it. */
export interface WorkerBind {
  /** as a person writes it: '127.0.0.1:8080', '[::]:8080', 'unix:/run/app.sock' */
  name: string;
  kind: 'tcp' | 'unix';
  tls: boolean;
  /** inherited file descriptor in the worker; undefined when the master accepts and hands connections over */
  fd?: number | undefined;
  backlog: number;
}

/** A request as logs and reports name it: in short (request-summary.ts). */
export interface RequestSummary {
  method: string;
  target: string;
  peer: string;
  ageMs: number;
  /** when it was received or has been asked for */
  requestId?: string | undefined;
  traceparent?: string | undefined;
}

/** One that its worker may not live to account for, with the access line that it would have now, if it is to have one. */
export interface RequestUnderWay extends RequestSummary {
  line?: string | undefined;
}

/** A main thread that is not in JavaScript: whether it computes or waits, and for which child processes it may be. */
export interface NativeBlock {
  state: 'computing' | 'waiting';
  children: string[];
}

/** What a worker's watchdog found in the main thread that it watches. */
export interface BlockReport {
  /** the JavaScript that holds the event loop, as an Error would have it; undefined when it is not to be had */
  stack?: string | undefined;
  /** without a stack: what the kernel knows of it */
  native?: NativeBlock | undefined;
  /** requests under way, oldest first: so many at most that a report stays short */
  requests: RequestSummary[];
  /** all there are; undefined when they could not be counted */
  requestCount?: number | undefined;
}

/** How a worker is to watch its own event loop. */
export interface WatchdogPlan {
  /** inherited: what the watchdog says goes here, since the channel is the main thread's */
  fd: number;
  stuckMs: number;
}

/** What a loop counts, in plain numbers since its start. */
export interface ServingStats {
  connections: number;
  activeRequests: number;
  requests: number;
  pendingHooks: number;
  /** answers by class of status; the rest of the requests is under way or got none */
  answers2xx: number;
  answers3xx: number;
  answers4xx: number;
  answers5xx: number;
}

/** The same of a worker, and how its process is. */
export interface WorkerStats extends ServingStats {
  rssBytes: number;
  /** how late its event loop was, in the mean since the last report */
  lagMs: number;
  /** of its requests, those of the option healthPaths; 0 where nobody needs to know */
  healthChecks: number;
  /** of its requests, those that got 503 before they came to the application */
  turnedAway: number;
  /** connections that were sent to it since its start, whatever became of them */
  received: number;
  /** TLS connections that ended before they were ready for a request */
  failedHandshakes: number;
  /** the share of the time since the last report that its event loop was busy, 0 to 1 */
  utilisation: number;
}

/** A connection on its way to another process, beside its handle: what cannot be seen from the socket. */
export interface MovingConnection {
  /** whom the client and the server are to applications: behind a proxy the socket does not tell */
  peer: {
    serverName: string;
    serverPort: string;
    remoteAddress: string;
    remotePort: string;
    scheme: 'http' | 'https';
  };
  /** it has had so many; 0 when it is not said */
  requests?: number | undefined;
  /** bytes that were read and not acted upon, base64 */
  rest?: string | undefined;
}

/**
 * Both ways, since a channel is ordered: whoever answers a question has seen everything that was sent before it. So what neither
 * was confirmed nor is still here never came (a process without a free descriptor loses the whole message).
 */
type Synchronisation = { type: 'sync'; upTo: number } | { type: 'synced'; upTo: number; here: number[] };

/** How connections move (docs/architecture.md). A number is the sender's own, or the one that the sender was given. */
export type MovingToWorker =
  /** comes with a handle: serve it, and confirm */
  | { type: 'adopt'; id: number; connection: MovingConnection }
  /** another worker has it: close the copy */
  | { type: 'moved'; id: number }
  /** nobody has it: serve it on */
  | { type: 'move-back'; id: number; because: 'no-worker' | 'not-received' }
  | Synchronisation;
export type MovingToMaster =
  /** comes with a handle: find it another worker */
  | { type: 'move'; id: number; connection: MovingConnection }
  | { type: 'adopted'; id: number }
  /** from a worker that ends; from a new master that had nobody for it */
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
      /** what of Node's private API works */
      parts: ConnectionParts;
      /** for a worker whose master has died and can no longer say it */
      graceMs: number;
      /** whether it accepts nothing until it is told to resume: another master still serves */
      standby: boolean;
      /** whether it is ready when it is loaded, or when the application says so */
      ready: 'load' | 'signal';
      /** requests as 'GET:/path' that it answers to itself before it accepts anything */
      warmup: string[];
      /** undefined: nobody watches it */
      watchdog?: WatchdogPlan | undefined;
      guarding: Guarding;
    }
  /**
   * `idle`: what becomes of connections without a request. They are closed in a moment; get to ask once more within the grace
   * time; move, as there is a ready worker; or wait until there is one. Those that cannot move are kept.
   */
  | { type: 'drain'; graceMs: number; idle: 'close' | 'keep' | 'move' | 'wait' }
  /** to accept nothing and keep what it has; and to accept again */
  | { type: 'stand-by' }
  | { type: 'resume' }
  | { type: 'reopen-logs' }
  /** access lines of requests that died with another worker */
  | { type: 'account'; lines: string[] }
  /** comes with a socket: the master accepts where workers cannot (see shared/node-private.ts) */
  | { type: 'connection'; bind: number };

export type WorkerToMaster =
  | MovingToMaster
  | GuardingToMaster
  | { type: 'hello'; pid: number }
  /** what its boot is doing now, for whoever waits in vain */
  | { type: 'boot-step'; step: string }
  /** `interface`: what the application turned out to be */
  /** `isGuess`: nothing of the application says that it is of this interface */
  | { type: 'ready'; interface: InterfaceName; isGuess: boolean }
  /** the worker cannot boot and ends */
  | { type: 'failed'; code: ErrorCode; message: string; stack?: string | undefined }
  /** an exception that nothing caught: the worker ends, and with it these requests */
  | { type: 'crashed'; message: string; stack?: string | undefined; requests?: RequestSummary[] | undefined }
  /** it has answered a request, for the first time */
  | { type: 'answered' }
  /** the application has tried to send what is not its own to send */
  | { type: 'send-refused'; what: string; reason: string }
  | { type: 'stats'; stats: WorkerStats }
  /** what it would leave behind if it died now */
  | { type: 'under-way'; requests: RequestUnderWay[] }
  /** a worker that was sent TERM by hand: it drains, and is to be replaced */
  | { type: 'leaving'; signal: 'SIGTERM' | 'SIGQUIT' }
  /**
   * the grace time is over; these requests will be cut. `connections`: what it had when it was told to leave. `closed`: those
   * that it closed while they were idle, without a word
   */
  | { type: 'overdue'; requests: RequestSummary[]; connections: number; closed: number }
  | { type: 'drained'; connections: number; closed: number };

/** What a worker's watchdog says. It is heard as long as the process runs, whatever its event loop does. */
export type WatchdogToMaster =
  | { type: 'alive' }
  /** the loop has not turned for so long */
  | { type: 'busy'; blockedMs: number; report: BlockReport }
  /** it turns again */
  | { type: 'recovered'; blockedMs: number }
  /** it has not turned within stuckTimeout: the worker is to be replaced */
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

/** On the channel a message lies in an envelope: an application may send messages of its own, with types of its own. */
export interface Envelope {
  evy: MasterToWorker | WorkerToMaster | WatchdogToMaster;
}

export function enclose(message: Envelope['evy']): Envelope {
  return { evy: message };
}

/** What a worker got from its master, or undefined when it is none of ours. */
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
