/** The data of an access line: a request and its result, also for a request that was refused or is in progress. */
import type { Environ, Outcome } from '../../shared/application.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { RequestLine } from '../http/request-line.ts';
import type { RefusedSender } from '../request/refusal.ts';

/** A request as its client sent it: these values are not affected when an application changes the environment. */
export interface LoggedRequest {
  readonly env: Environ;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** a header of the response, by its lower-case name; undefined when it is missing or nothing was sent */
  responseHeader(name: string): string | undefined;
}

/** The result of a request. */
export interface LoggedReport {
  /** 0 when nothing was sent */
  readonly status: number;
  readonly bytesSent: number;
  readonly outcome: Outcome | 'refused';
  readonly durationMs: number;
}

/** Reused for every line. It copies the report, since post hooks get that object too and may change it. */
export interface AccessRecord {
  request: LoggedRequest;
  status: number;
  bytesSent: number;
  outcome: LoggedReport['outcome'];
  durationMs: number;
  bodyBytes: number;
  nowMs: number;
}

const noRequest = {} as LoggedRequest;

export function emptyRecord(): AccessRecord {
  return { request: noRequest, status: 0, bytesSent: 0, outcome: 'sent', durationMs: 0, bodyBytes: 0, nowMs: 0 };
}

/** Fills the record with a finished request. */
export function fill(record: AccessRecord, request: LoggedRequest, report: LoggedReport, bodyBytes: number): void {
  record.request = request;
  record.status = report.status;
  record.bytesSent = report.bytesSent;
  record.outcome = report.outcome;
  record.durationMs = report.durationMs;
  record.bodyBytes = bodyBytes;
  record.nowMs = Date.now();
}

/** Drops all references to the request. */
export function clear(record: AccessRecord): void {
  record.request = noRequest;
}

/** A header in lines of the form `Name: value CRLF`. */
export function headerIn(lines: string, name: string): string | undefined {
  const from = `\r\n${lines}`.toLowerCase().indexOf(`\r\n${name}: `);
  if (from < 0) return undefined;
  const valueFrom = from + name.length + 2;
  return lines.slice(valueFrom, lines.indexOf('\r\n', valueFrom));
}

/** Faults of the request line, after which the parser's fields are incomplete. */
const lineFaults: ReadonlySet<ErrorCode> = new Set(['BAD_REQUEST_LINE', 'BAD_TARGET', 'BAD_VERSION']);

/**
 * The data of a line about a request that was refused before an application saw it; operators and fail2ban look for
 * these. It has the request line if that was valid, and no refused bytes in any field. `response` is the whole
 * response, from which the status is read.
 */
export function refusedRequest(
  code: ErrorCode,
  { peer, variables, names }: RefusedSender,
  line: RequestLine,
  response: string,
): { request: LoggedRequest; report: LoggedReport; bodyBytes: number } {
  const isKnown = line.method !== '' && !lineFaults.has(code);
  const { method, target, version } = isKnown ? line : { method: '', target: '', version: '' };
  const [path = '', query = ''] = target.split('?', 2);
  const env = {
    ...variables,
    'REMOTE_ADDR': peer.remoteAddress,
    'REMOTE_PORT': peer.remotePort,
    'RAW_PATH_INFO': path,
    'QUERY_STRING': query,
    'wsgi.url_scheme': peer.scheme,
    'evy.request_id': names?.requestId,
    'evy.traceparent': names?.traceparent,
  } as unknown as Environ;
  return {
    request: { env, method, target, version, responseHeader: () => undefined },
    report: { status: Number(response.slice(9, 12)), bytesSent: response.length, outcome: 'refused', durationMs: 0 },
    bodyBytes: response.length - response.indexOf('\r\n\r\n') - 4,
  };
}

interface LineMaker {
  line(request: LoggedRequest, report: LoggedReport, bodyBytes: number): string | undefined;
}

/** Makes the line that a request in progress would get if it ended now, and does not write it. */
export class Preview {
  readonly #log: LineMaker | undefined;
  #line: string | undefined;

  constructor(log: LineMaker | undefined) {
    this.#log = log;
  }

  write(request: LoggedRequest, report: LoggedReport, bodyBytes: number): void {
    this.#line = this.#log?.line(request, report, bodyBytes);
  }
  settled(request: LoggedRequest, report: LoggedReport, bodyBytes: number): void {
    this.write(request, report, bodyBytes);
  }

  /** Returns the line of the request that `account` reports to this object; undefined when there is none. */
  lineOf(account: () => void): string | undefined {
    this.#line = undefined;
    account();
    return this.#line;
  }
}
