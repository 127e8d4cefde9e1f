/** What a line is made of: a request that is over, and how it went. */
import type { Environ, Outcome } from '../../shared/application.ts';

/** A request as its client sent it: an application may change the environment, but not what the log says of these. */
export interface LoggedRequest {
  readonly env: Environ;
  readonly method: string;
  readonly target: string;
  readonly version: string;
  /** a header of the response, by its name in small letters; undefined when there is none or nothing was sent */
  responseHeader(name: string): string | undefined;
}

/** How it went. */
export interface LoggedReport {
  /** 0 when nothing was sent */
  readonly status: number;
  readonly bytesSent: number;
  readonly outcome: Outcome | 'refused';
  readonly durationMs: number;
}

/** Filled anew for each line. A copy of the report: post hooks get that one, too, and may change it. */
export interface AccessRecord {
  request: LoggedRequest;
  status: number;
  bytesSent: number;
  outcome: LoggedReport['outcome'];
  durationMs: number;
  bodyBytes: number;
  nowMs: number;
}

const nobody = {} as LoggedRequest;

export function emptyRecord(): AccessRecord {
  return { request: nobody, status: 0, bytesSent: 0, outcome: 'sent', durationMs: 0, bodyBytes: 0, nowMs: 0 };
}

/** A request that is over now. */
export function fill(record: AccessRecord, request: LoggedRequest, report: LoggedReport, bodyBytes: number): void {
  record.request = request;
  record.status = report.status;
  record.bytesSent = report.bytesSent;
  record.outcome = report.outcome;
  record.durationMs = report.durationMs;
  record.bodyBytes = bodyBytes;
  record.nowMs = Date.now();
}

/** Nothing of the request is kept. */
export function letGo(record: AccessRecord): void {
  record.request = nobody;
}

/** A header in lines of the form `Name: value CRLF`. */
export function headerIn(lines: string, name: string): string | undefined {
  const from = `\r\n${lines}`.toLowerCase().indexOf(`\r\n${name}: `);
  if (from < 0) return undefined;
  const valueFrom = from + name.length + 2;
  return lines.slice(valueFrom, lines.indexOf('\r\n', valueFrom));
}
