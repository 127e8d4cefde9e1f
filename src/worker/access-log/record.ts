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

/** One for the whole log, filled anew for each line: lines are made at once. */
export interface AccessRecord {
  request: LoggedRequest;
  status: number;
  bodyBytes: number;
  seconds: number;
  nowMs: number;
}

/** The environment's own report has what the record has not. */
export interface LoggedReport {
  readonly bytesSent: number;
  readonly outcome: Outcome | 'refused';
}

/** A header in lines of the form `Name: value CRLF`. */
export function headerIn(lines: string, name: string): string | undefined {
  const from = `\r\n${lines}`.toLowerCase().indexOf(`\r\n${name}: `);
  if (from < 0) return undefined;
  const valueFrom = from + name.length + 2;
  return lines.slice(valueFrom, lines.indexOf('\r\n', valueFrom));
}
