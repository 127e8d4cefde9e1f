/**
 * The fields of an access log line, and the named formats. The master checks `logFormat` against this table, the
 * workers fill the fields in, and docs/access-log.md lists them.
 */

/** A `number` can be written with %d and %f, and is a number in JSON. */
export type FieldKind = 'text' | 'number';

interface FieldRow {
  readonly kind: FieldKind;
  readonly help: string;
}

const rows = {
  client_ip: { kind: 'text', help: 'the client; behind X-Forwarded-For, comma-separated, with logXForwardedFor' },
  client_port: { kind: 'text', help: "the client's port" },
  remote_addr: { kind: 'text', help: 'the client as the environment has it (REMOTE_ADDR), whatever logXForwardedFor' },
  date_time: { kind: 'text', help: 'local time the way eventlet writes it' },
  time_local: { kind: 'text', help: 'local time with its zone, the way Apache writes it' },
  time_iso: { kind: 'text', help: 'UTC, ISO 8601 with milliseconds' },
  request_line: { kind: 'text', help: 'method, target and protocol' },
  method: { kind: 'text', help: 'request method' },
  target: { kind: 'text', help: 'request target as received' },
  path: { kind: 'text', help: 'the path of the target, not decoded' },
  query: { kind: 'text', help: 'what follows the question mark' },
  protocol: { kind: 'text', help: 'HTTP/1.0 or HTTP/1.1' },
  scheme: { kind: 'text', help: 'http or https' },
  host: { kind: 'text', help: 'the host that was asked for' },
  status_code: { kind: 'number', help: 'status of the response; 0 when none was sent' },
  body_length: { kind: 'number', help: 'bytes of the body that left, with their chunk framing' },
  bytes_sent: { kind: 'number', help: 'bytes of head and body that left' },
  wall_seconds: { kind: 'number', help: 'from the request head to the last byte of the response, in seconds' },
  duration_ms: { kind: 'number', help: 'the same in milliseconds, to the microsecond' },
  outcome: { kind: 'text', help: 'sent, client-gone, failed, timed-out, cut or refused' },
  referer: { kind: 'text', help: 'the Referer header' },
  user_agent: { kind: 'text', help: 'the User-Agent header' },
  request_id: { kind: 'text', help: "env['evy.request_id']" },
  traceparent: { kind: 'text', help: 'the traceparent header (W3C Trace Context)' },
  pid: { kind: 'number', help: 'process id of the worker' },
  generation: { kind: 'number', help: 'generation of the worker; 0 in the one-process server' },
} as const satisfies Record<string, FieldRow>;

export type FieldName = keyof typeof rows;
export const accessFieldTable: Readonly<Record<FieldName, FieldRow>> = rows;
export const fieldNames = Object.keys(rows) as FieldName[];

export function isFieldName(name: string): name is FieldName {
  return Object.hasOwn(rows, name);
}

const common = '%(client_ip)s - - [%(time_local)s] "%(request_line)s" %(status_code)s %(body_length)s';

/** The format strings that the names in `logFormat` stand for. */
export const namedFormats: ReadonlyMap<string, string> = new Map([
  [
    'eventlet',
    '%(client_ip)s - - [%(date_time)s] "%(request_line)s" %(status_code)s %(body_length)s %(wall_seconds).6f',
  ],
  ['common', common],
  ['combined', `${common} "%(referer)s" "%(user_agent)s"`],
]);

/** Members of a line in the format `json`, in this order. Each has the name of its field, except `time`. */
export const jsonFields = [
  'time_iso',
  'client_ip',
  'remote_addr',
  'method',
  'target',
  'protocol',
  'scheme',
  'host',
  'status_code',
  'body_length',
  'bytes_sent',
  'duration_ms',
  'outcome',
  'referer',
  'user_agent',
  'request_id',
  'traceparent',
  'pid',
  'generation',
] as const satisfies readonly FieldName[];

export function jsonKey(field: FieldName): string {
  return field === 'time_iso' ? 'time' : field;
}
