/** Reads each field of the table from a record. An undefined value becomes `-`, or null in JSON. */
import type { FieldName } from '../../shared/options/access-fields.ts';
import type { AccessRecord } from './record.ts';
import { apacheTime, eventletTime, isoTime } from './times.ts';

/** The facts that all lines of a log share. */
export interface LogFacts {
  /** option logXForwardedFor */
  readonly forwardedFor: boolean;
  readonly generation: number;
}

export type FieldValue = string | number | undefined;
/** The request line is composed of three others. */
export type FieldReaders = Readonly<Record<Exclude<FieldName, 'request_line'>, ReadField>>;
export type ReadField = (record: AccessRecord) => FieldValue;

/** An entry of the environment, whose value applications may change. */
export function environField(key: string): ReadField {
  return ({ request }) => {
    const value = request.env[key];
    return typeof value === 'string' ? value : undefined;
  };
}

/** A header of the request, read from the environment. */
export function requestHeader(name: string): ReadField {
  const key = name.toUpperCase().replaceAll('-', '_');
  const isPlain = key === 'CONTENT_TYPE' || key === 'CONTENT_LENGTH';
  return environField(isPlain ? key : `HTTP_${key}`);
}

export function responseHeader(name: string): ReadField {
  const lower = name.toLowerCase();
  return ({ request }) => request.responseHeader(lower);
}

const text = (value: unknown): FieldValue => (typeof value === 'string' ? value : undefined);

// Property names are constants, since V8 finds them several times as fast as variable ones.
const remoteAddress: ReadField = ({ request }) => text(request.env.REMOTE_ADDR);
const forwardedFor: ReadField = ({ request }) => text(request.env.HTTP_X_FORWARDED_FOR);

/** The header comes before the peer, as in eventlet, and without blanks, so that it cannot look like two fields. */
function forwardedClient(record: AccessRecord): FieldValue {
  const forwarded = forwardedFor(record);
  if (forwarded === undefined) return remoteAddress(record);
  const addresses = String(forwarded).replaceAll(' ', '');
  return addresses === '' ? remoteAddress(record) : `${addresses},${remoteAddress(record) ?? '-'}`;
}

const toMicroseconds = (ms: number): number => Math.round(ms * 1e3) / 1e3;

export function fieldReaders(facts: LogFacts): FieldReaders {
  return {
    client_ip: facts.forwardedFor ? forwardedClient : remoteAddress,
    client_port: ({ request }) => text(request.env.REMOTE_PORT),
    remote_addr: remoteAddress,
    date_time: ({ nowMs }) => eventletTime(nowMs),
    time_local: ({ nowMs }) => apacheTime(nowMs),
    time_iso: ({ nowMs }) => isoTime(nowMs),
    method: ({ request }) => request.method || undefined,
    target: ({ request }) => request.target || undefined,
    path: ({ request }) => text(request.env.RAW_PATH_INFO),
    query: ({ request }) => text(request.env.QUERY_STRING),
    protocol: ({ request }) => request.version || undefined,
    scheme: ({ request }) => text(request.env['wsgi.url_scheme']),
    host: ({ request }) => text(request.env.HTTP_HOST),
    status_code: ({ status }) => status,
    body_length: ({ bodyBytes }) => bodyBytes,
    bytes_sent: ({ bytesSent }) => bytesSent,
    wall_seconds: ({ durationMs }) => durationMs / 1000,
    duration_ms: ({ durationMs }) => toMicroseconds(durationMs),
    outcome: ({ outcome }) => outcome,
    referer: ({ request }) => text(request.env.HTTP_REFERER),
    user_agent: ({ request }) => text(request.env.HTTP_USER_AGENT),
    request_id: ({ request }) => text(request.env['evy.request_id']),
    traceparent: ({ request }) => text(request.env['evy.traceparent']),
    pid: () => process.pid,
    generation: () => facts.generation,
  };
}
