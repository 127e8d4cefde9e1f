/**
 * The option table, one row per option. Flags, `EVY_*` variables, the check of the configuration file, `--help`,
 * `--print-config`, `docs/options.md` and the types below are all derived from it.
 *
 * A row's name is what users write: `maxHead` is `--max-head`, `EVY_MAX_HEAD` and `maxHead` in a file. Its `key` is the
 * name in the code, with the unit. Only the master and the one-process server load this module, since zod is slow to
 * import; workers get the plain values and import only types.
 */
import { availableParallelism } from 'node:os';
import type * as z from 'zod/mini';
import { deployRows } from './deploy-rows.ts';
import { loadRows } from './load-rows.ts';
import { recyclingRows } from './recycling-rows.ts';
import {
  accessFormat,
  accessTarget,
  bytes,
  duration,
  durationOrOff,
  fieldName,
  flagOrDuration,
  hostList,
  integer,
  octal,
  oneOf,
  pathPatterns,
  peers,
  record,
  someOf,
  switchValue,
  text,
  textList,
  workerRange,
} from './schemas.ts';
import type { WorkerRange } from './worker-range.ts';

/** Groups in the order of help and documentation, with their headings. */
export const optionGroups = {
  application: 'Application',
  listening: 'Listening',
  processes: 'Processes',
  deploying: 'Deploying',
  recycling: 'Recycling',
  limits: 'Limits and time-outs',
  http: 'Requests and responses',
  proxies: 'Proxies and tracing',
  logs: 'Logs',
} as const;
export type OptionGroup = keyof typeof optionGroups;

export interface OptionRow {
  readonly schema: z.ZodMiniType;
  readonly default: unknown;
  /** the property of `Options`, where it differs from the row's name */
  readonly key?: string;
  /** 'server' rows are sent to workers and used by the one-process server; 'master' rows stay in the master */
  readonly scope: 'master' | 'server';
  /** whether a reload applies a changed value, or only a restart does */
  readonly appliesOn: 'reload' | 'restart';
  /** unit of a bare number */
  readonly unit?: 'seconds' | 'bytes' | 'octal' | 'percent';
  /** heading under which help and documentation show it */
  readonly group: OptionGroup;
  /** the kind of path in the value: a file, a log (a file or a socket), a module, or a unix: address */
  readonly path?: 'file' | 'log' | 'module' | 'address';
  /** the value's placeholder in `--help`; none for a switch */
  readonly placeholder?: string;
  /** environment variables that are read after `EVY_*` */
  readonly env?: readonly string[];
  /** one-letter form of the flag */
  readonly short?: string;
  /** false: accepted only in the configuration file and the API */
  readonly flag?: false;
  /** a word on the command line, not a flag */
  readonly positional?: true;
  /** the default in documentation, where it depends on the machine */
  readonly defaultText?: string;
  readonly help: string;
}

function rangeOfCores(): WorkerRange {
  const cores = availableParallelism();
  return { least: cores, most: cores };
}

const serverRows = {
  keepalive: {
    schema: flagOrDuration(65_000),
    default: 65_000,
    key: 'keepaliveMs',
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    unit: 'seconds',
    placeholder: 'TIME',
    help: 'Time that an idle connection is kept open for the next request; false closes it after each response.',
  },
  keepAliveHeader: {
    schema: switchValue(),
    default: false,
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    help: 'Send a Keep-Alive header with the idle time-out and the number of requests that the connection may still have.',
  },
  maxRequestsPerConnection: {
    schema: integer(0, 1_000_000_000),
    default: 0,
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'N',
    help: 'Largest number of requests on one connection; the last response has Connection: close. 0 is unlimited.',
  },
  headTimeout: {
    schema: duration(1),
    default: 10_000,
    key: 'headTimeoutMs',
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    unit: 'seconds',
    placeholder: 'TIME',
    help: 'Time for a complete request head, from its first byte; after that the client gets 408.',
  },
  socketTimeout: {
    schema: duration(1),
    default: 60_000,
    key: 'socketTimeoutMs',
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    unit: 'seconds',
    placeholder: 'TIME',
    help: 'Longest wait for the next bytes of a request body, or for a client to receive bytes of a response.',
  },
  urlLengthLimit: {
    schema: bytes(64),
    default: 8192,
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    unit: 'bytes',
    placeholder: 'SIZE',
    help: 'Longest request line; a longer one gets 414.',
  },
  maxHead: {
    schema: bytes(256),
    default: 65_536,
    key: 'maxHeadBytes',
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    unit: 'bytes',
    placeholder: 'SIZE',
    help: 'Largest header section; a larger one gets 431.',
  },
  maxHeaders: {
    schema: integer(1, 10_000),
    default: 100,
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'N',
    help: 'Largest number of header fields; a request with more gets 431.',
  },
  maxBody: {
    schema: bytes(0),
    default: 0,
    key: 'maxBodyBytes',
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    unit: 'bytes',
    placeholder: 'SIZE',
    help: 'Largest request body; a larger one gets 413. 0 is unlimited.',
  },
  bodyMinRate: {
    schema: bytes(0),
    default: 240,
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    unit: 'bytes',
    placeholder: 'SIZE',
    help: 'Lowest rate of a request body in bytes a second, after the first five seconds; a slower one gets 408. 0 allows any rate.',
  },
  maxDiscard: {
    schema: bytes(0),
    default: 65_536,
    key: 'maxDiscardBytes',
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    unit: 'bytes',
    placeholder: 'SIZE',
    help: 'How much of an unread request body is discarded to keep the connection; with more left, the connection is closed.',
  },
  requestTimeout: {
    schema: duration(0),
    default: 0,
    key: 'requestTimeoutMs',
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    unit: 'seconds',
    placeholder: 'TIME',
    help: 'Time from the request head to the end of the response; after that the client gets 504, or the response is cut if it has begun. 0 is no limit.',
  },
  pipelineDepth: {
    schema: integer(1, 10_000),
    default: 64,
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'N',
    help: 'Responses of one connection that may wait for the client to receive them; until it does, no further request is begun.',
  },
  maxHttpVersion: {
    schema: oneOf(['HTTP/1.0', 'HTTP/1.1']),
    default: 'HTTP/1.1',
    group: 'http',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'VERSION',
    help: "Highest HTTP version to use; 'HTTP/1.0' turns persistent connections and chunked responses off.",
  },
  allowedHosts: {
    schema: hostList(),
    default: [],
    group: 'http',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'NAME',
    help: 'Host names to answer for, without port; .example.com also means all names below it. Other hosts get 421. None means any host.',
  },
  minimumChunkSize: {
    schema: bytes(0),
    default: 0,
    group: 'http',
    scope: 'server',
    appliesOn: 'reload',
    unit: 'bytes',
    placeholder: 'SIZE',
    help: 'Collect the pieces of a response body into chunks of at least this size; 0 sends each piece at once.',
  },
  capitalizeResponseHeaders: {
    schema: switchValue(),
    default: true,
    group: 'http',
    scope: 'server',
    appliesOn: 'reload',
    help: "Capitalize the application's header names, as in Content-Type.",
  },
  workerConnections: {
    schema: integer(1, 1_000_000),
    default: 10_000,
    group: 'limits',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'N',
    help: 'Largest number of open connections of one worker; at the limit the longest idle one gives way, else new clients wait.',
  },
  environ: {
    schema: record(),
    default: {},
    group: 'http',
    scope: 'server',
    appliesOn: 'reload',
    flag: false,
    help: 'Entries to add to the environment of each request.',
  },
  trustedProxies: {
    schema: peers(),
    default: [],
    group: 'proxies',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'PEER',
    help: 'Proxies whose forwarding headers, request ids and traceparent are trusted: addresses, networks (10.0.0.0/8), unix, loopback, private; may be repeated.',
  },
  trustedHeaders: {
    schema: someOf(['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port']),
    default: ['forwarded', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port'],
    group: 'proxies',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'HEADER',
    help: 'Forwarding headers to trust: those that your proxy sets or removes; may be repeated.',
  },
  proxyProtocol: {
    schema: peers(),
    default: [],
    group: 'proxies',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'PEER',
    help: 'Peers whose connections must begin with a PROXY protocol header (version 1 or 2) within headTimeout; named as in trustedProxies.',
  },
  requestIdHeader: {
    schema: fieldName(),
    default: 'X-Request-Id',
    group: 'proxies',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'HEADER',
    help: "Header in which a trusted proxy sends the request id; without it evy creates one (env['evy.request_id']).",
  },
  sendRequestId: {
    schema: switchValue(),
    default: false,
    group: 'proxies',
    scope: 'server',
    appliesOn: 'reload',
    help: 'Send the request id in the response, in the header requestIdHeader.',
  },
  logFormat: {
    schema: accessFormat(),
    default: 'eventlet',
    group: 'logs',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'FORMAT',
    help: 'Format of the access log: eventlet, common, combined, json, or text with %(name)s fields (docs/access-log.md).',
  },
  logXForwardedFor: {
    schema: switchValue(),
    default: true,
    group: 'logs',
    scope: 'server',
    appliesOn: 'reload',
    help: 'Show the X-Forwarded-For header in front of the client address in the access log.',
  },
  debug: {
    schema: switchValue(),
    default: false,
    group: 'http',
    scope: 'server',
    appliesOn: 'reload',
    help: 'Send stack traces in 500 responses. Do not use it in production.',
  },
  accessLog: {
    schema: accessTarget(),
    default: 'off',
    group: 'logs',
    path: 'log',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'TARGET',
    help: "Where access lines go: 'off', '-' for standard output, a file, unix:path or tcp:host:port.",
  },
  accessLogSkip: {
    schema: pathPatterns(),
    default: [],
    group: 'logs',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'PATH',
    help: 'Path whose requests are not logged unless they fail; with * at the end, all paths with this prefix.',
  },
  logLevel: {
    schema: oneOf(['debug', 'info', 'warn', 'error']),
    default: 'info',
    group: 'logs',
    scope: 'server',
    appliesOn: 'restart',
    placeholder: 'LEVEL',
    help: 'Lowest level of log lines to write: debug, info, warn or error.',
  },
  logStyle: {
    schema: oneOf(['auto', 'human', 'json']),
    default: 'auto',
    group: 'logs',
    scope: 'server',
    appliesOn: 'restart',
    placeholder: 'STYLE',
    help: 'Style of log lines: human or json; auto is human on a terminal and json elsewhere.',
  },
  logFile: {
    schema: text(),
    default: '',
    group: 'logs',
    path: 'file',
    scope: 'server',
    appliesOn: 'restart',
    placeholder: 'FILE',
    help: 'File for the log lines of master and workers, in place of standard error; USR1 reopens it.',
  },
  certfile: {
    schema: text(),
    default: '',
    group: 'listening',
    path: 'file',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'FILE',
    help: 'Certificate chain (PEM) for binds with tls:.',
  },
  keyfile: {
    schema: text(),
    default: '',
    group: 'listening',
    path: 'file',
    scope: 'server',
    appliesOn: 'reload',
    placeholder: 'FILE',
    help: 'Private key (PEM) that belongs to certfile.',
  },
} as const satisfies Record<string, OptionRow>;

const masterRows = {
  app: {
    schema: text(),
    default: '',
    group: 'application',
    path: 'module',
    scope: 'master',
    appliesOn: 'reload',
    positional: true,
    help: 'The application: path/to/module[:export].',
  },
  middleware: {
    schema: textList(),
    default: [],
    group: 'application',
    path: 'module',
    scope: 'master',
    appliesOn: 'reload',
    positional: true,
    help: 'Modules that export a function which takes the application and returns another one; applied in order.',
  },
  interface: {
    schema: oneOf(['auto', 'wsgi', 'fetch', 'node']),
    default: 'auto',
    group: 'application',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'KIND',
    help: 'Interface of the application: wsgi, fetch or node; auto tells it from the export.',
  },
  bind: {
    schema: textList(),
    default: [],
    group: 'listening',
    path: 'address',
    short: 'b',
    scope: 'master',
    appliesOn: 'restart',
    placeholder: 'ADDRESS',
    help: 'Address to listen on: host:port, [ipv6]:port, unix:path or fd:N, with tls: in front for TLS; may be repeated.',
  },
  host: {
    schema: text(),
    default: '127.0.0.1',
    group: 'listening',
    scope: 'master',
    appliesOn: 'restart',
    placeholder: 'HOST',
    help: 'Host to listen on when no --bind is given.',
  },
  port: {
    schema: integer(0, 65_535),
    default: 8080,
    group: 'listening',
    scope: 'master',
    appliesOn: 'restart',
    placeholder: 'PORT',
    env: ['PORT'],
    help: 'Port to listen on when no --bind is given; 0 chooses a free port.',
  },
  backlog: {
    schema: integer(1, 65_535),
    default: 2048,
    group: 'listening',
    scope: 'master',
    appliesOn: 'restart',
    placeholder: 'N',
    help: 'Connections that may wait in the kernel to be accepted (the system limits it, see net.core.somaxconn).',
  },
  unixMode: {
    schema: octal(),
    default: 0o666,
    unit: 'octal',
    group: 'listening',
    scope: 'master',
    appliesOn: 'restart',
    placeholder: 'MODE',
    help: 'File mode of unix sockets, octal.',
    defaultText: '0666',
  },
  workers: {
    schema: workerRange(),
    default: rangeOfCores(),
    group: 'processes',
    short: 'w',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'N',
    env: ['WEB_CONCURRENCY'],
    help: 'Worker processes: a number, or a range such as 2..8 within which the load decides.',
    defaultText: 'the available cores',
  },
  grace: {
    schema: duration(0),
    default: 30_000,
    key: 'graceMs',
    group: 'processes',
    scope: 'master',
    appliesOn: 'reload',
    unit: 'seconds',
    placeholder: 'TIME',
    help: 'Time that a retiring worker has to finish its requests and post hooks; after that it is killed.',
  },
  bootTimeout: {
    schema: duration(1),
    default: 60_000,
    key: 'bootTimeoutMs',
    group: 'processes',
    scope: 'master',
    appliesOn: 'reload',
    unit: 'seconds',
    placeholder: 'TIME',
    help: 'Time that a worker has to load the application and become ready; after that it is killed.',
  },
  stuckTimeout: {
    schema: durationOrOff(1_000),
    default: 30_000,
    key: 'stuckTimeoutMs',
    group: 'processes',
    scope: 'master',
    appliesOn: 'reload',
    unit: 'seconds',
    placeholder: 'TIME',
    help: 'Time after which a worker with a blocked event loop is replaced, with the blocking stack in the log; 0 turns the watchdog off.',
  },
  pidfile: {
    schema: text(),
    default: '',
    group: 'processes',
    path: 'file',
    scope: 'master',
    appliesOn: 'restart',
    placeholder: 'FILE',
    help: "File that holds the master's process id while it runs.",
  },
} as const satisfies Record<string, OptionRow>;

export const optionTable = {
  ...masterRows,
  ...loadRows,
  ...deployRows,
  ...recyclingRows,
  ...serverRows,
} as const satisfies Record<string, OptionRow>;
export const serverOptionTable = serverRows;

type Key<Rows, Name extends keyof Rows> = Rows[Name] extends { key: infer K extends string } ? K : Name;
type Values<Rows extends Record<string, OptionRow>> = {
  -readonly [Name in keyof Rows as Key<Rows, Name>]: z.output<Rows[Name]['schema']>;
};
type Inputs<Rows extends Record<string, OptionRow>> = {
  -readonly [Name in keyof Rows]?: z.input<Rows[Name]['schema']> | undefined;
};

export type OptionName = keyof typeof optionTable;
/** All options, checked, in the unit that their names say. */
export type Options = Values<typeof optionTable>;
/** The options of a worker and of the one-process server. */
export type ServerSettings = Values<typeof serverRows>;
/** Options as a configuration file or `createMaster()` takes them. */
export type OptionsInput = Inputs<typeof optionTable>;
export type ServerOptionsInput = Inputs<typeof serverRows>;
