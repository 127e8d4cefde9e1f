/**
 * Validates messages from workers: each message of the closed unions (messages.ts) with the shape of its fields. An
 * application shares its worker's channel, so any message may be forged. Pure.
 */
import type { InterfaceName } from '../application.ts';
import { errorTable } from '../errors.ts';
import type { RequestSummary, WatchdogToMaster, WorkerToMaster } from './messages.ts';

type Check = (value: unknown) => boolean;
/** A check for each field, optional ones included; a new field without a check does not compile. */
type Fields<Message> = { readonly [Name in Exclude<keyof Message, 'type'>]-?: Check };
type Shapes<Union extends { type: string }> = {
  readonly [Type in Union['type']]: Fields<Extract<Union, { type: Type }>>;
};
type Shape = ReadonlyArray<[name: string, check: Check]>;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const text: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
/** a counter, or an id */
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** a measured quantity */
const amount: Check = (value) => Number.isFinite(value) && (value as number) >= 0;
const oneOf =
  (words: ReadonlySet<string>): Check =>
  (value) =>
    typeof value === 'string' && words.has(value);
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const record = (fields: Readonly<Record<string, Check>>): Check => {
  const shape = Object.entries(fields);
  return (value) => isObject(value) && hasShape(value, shape);
};

function hasShape(value: Readonly<Record<string, unknown>>, shape: Shape): boolean {
  return shape.every(([name, check]) => check(value[name]));
}

const summaryFields: Fields<RequestSummary> = {
  method: text,
  target: text,
  peer: text,
  ageMs: amount,
  requestId: optional(text),
  traceparent: optional(text),
};
const requests = listOf(record(summaryFields));
const usage = record({ now: count, wanted: count, isShort: flag });
const report = record({
  stack: optional(text),
  native: optional(record({ state: oneOf(new Set(['computing', 'waiting'])), children: listOf(text) })),
  requests,
  requestCount: optional(count),
});
const connection = record({
  peer: record({
    serverName: text,
    serverPort: text,
    remoteAddress: text,
    remotePort: text,
    scheme: oneOf(new Set(['http', 'https'])),
  }),
  requests: optional(count),
  rest: optional(text),
});
const statsFields: Fields<Extract<WorkerToMaster, { type: 'stats' }>['stats']> = {
  connections: count,
  activeRequests: count,
  requests: count,
  pendingHooks: count,
  answers2xx: count,
  answers3xx: count,
  answers4xx: count,
  answers5xx: count,
  failedHandshakes: count,
  rssBytes: count,
  lagMs: amount,
  healthChecks: count,
  turnedAway: count,
  received: count,
  utilisation: amount,
  asleep: flag,
};
const interfaces: Readonly<Record<InterfaceName, true>> = { wsgi: true, fetch: true, node: true };

const workerShapes: Shapes<WorkerToMaster> = {
  'hello': { pid: count },
  'boot-step': { step: text },
  'ready': { interface: oneOf(new Set(Object.keys(interfaces))), isGuess: flag },
  'failed': { code: oneOf(new Set(Object.keys(errorTable))), message: text, stack: optional(text) },
  'crashed': { message: text, stack: optional(text), requests: optional(requests) },
  'answered': {},
  'send-refused': { what: text, reason: text },
  'stats': { stats: record(statsFields) },
  'under-way': { requests: listOf(record({ ...summaryFields, line: optional(text) })) },
  'usage': { serial: count, connections: optional(usage), requests: optional(usage) },
  'leaving': { signal: oneOf(new Set(['SIGTERM', 'SIGQUIT'])) },
  'overdue': { requests, connections: count, closed: count },
  'drained': { connections: count, closed: count },
  'move': { id: count, connection },
  'adopted': { id: count },
  'refused': { id: count },
  'sync': { upTo: count },
  'synced': { upTo: count, here: listOf(count) },
};
const watchdogShapes: Shapes<WatchdogToMaster> = {
  alive: {},
  busy: { blockedMs: amount, report },
  recovered: { blockedMs: amount },
  stuck: { blockedMs: amount, report },
};

const shapesByType = (shapes: object): ReadonlyMap<string, Shape> =>
  new Map(Object.entries(shapes).map(([type, fields]) => [type, Object.entries(fields as Record<string, Check>)]));
const fromWorkers = shapesByType(workerShapes);
const fromWatchdogs = shapesByType(watchdogShapes);

/** A message in evy's envelope that is not one of evy's. evy never sends such, so the application did. */
export class ForgedMessage extends Error {
  constructor(type: unknown) {
    const named = typeof type === 'string' ? ` of type '${type.slice(0, 40)}'` : '';
    super(`it sent a message${named} in the form that evy's own messages have, but with other contents`);
  }
}

/** Returns undefined for a value without evy's envelope: an application may send its own messages. */
function open(value: unknown, shapes: ReadonlyMap<string, Shape>): unknown {
  if (!isObject(value) || !('evy' in value)) return undefined;
  const message = value['evy'];
  if (!isObject(message)) throw new ForgedMessage(undefined);
  const { type } = message;
  const shape = typeof type === 'string' ? shapes.get(type) : undefined;
  if (shape === undefined || !hasShape(message, shape)) throw new ForgedMessage(type);
  return message;
}

/** Parses a message from a worker; undefined for a message of the application. @throws {ForgedMessage} */
export function fromWorker(value: unknown): WorkerToMaster | undefined {
  return open(value, fromWorkers) as WorkerToMaster | undefined;
}

/** Parses a line of a watchdog; undefined when it is not a message. @throws {ForgedMessage} */
export function fromWatchdog(line: string): WatchdogToMaster | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  return open(value, fromWatchdogs) as WatchdogToMaster | undefined;
}
