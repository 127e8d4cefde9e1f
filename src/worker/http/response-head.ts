/**
 * Makes response heads: checks the application's status and headers, decides the framing (RFC 9112 §6, §9.3), and
 * encodes the head as one latin-1 string.
 */
import { EvyError } from '../../shared/errors.ts';
import { fieldValue } from './grammar.ts';
import { listMembers } from './field-lines.ts';
import type { Version } from './request-line.ts';
import { badValue, lineOf, nameFacts } from './response-fields.ts';

/** Checked status and headers of an application, as lines, without the headers that the server sets. */
export interface AppHead {
  status: number;
  statusLine: string;
  lines: string;
  /** Content-Length as given */
  length: number | undefined;
  hasDate: boolean;
  /** the application asked for `Connection: close` */
  close: boolean;
}

/** How the end of the body is marked (RFC 9112 §6.3). */
export type BodyFraming = 'none' | 'length' | 'chunked' | 'close';

/** The facts about the request and the connection that a head depends on. */
export interface HeadContext {
  method: string;
  version: Version;
  /** the server uses HTTP/1.0 only (option maxHttpVersion) */
  http10Only: boolean;
  /** both the client and the server would keep the connection */
  keepAlive: boolean;
  /** the lines that announce a kept connection, if any; otherwise '' */
  keepAliveField: string;
}

export interface EncodedHead {
  text: string;
  framing: BodyFraming;
  keepAlive: boolean;
}

const maxStatuses = 2048;
const statuses = new Map<string, { status: number; line: string }>();

/** Parses '200 OK' into status code and status line. @throws {EvyError} APP_BAD_STATUS */
function parseStatus(text: string): { status: number; line: string } {
  const found = statuses.get(text);
  if (found !== undefined) return found;
  // The reason may be empty. A status below 200 is not a final response, one above 599 is invalid (RFC 9110 §15).
  if (typeof text !== 'string' || !/^[2-5][0-9]{2} /.test(text) || !fieldValue.test(text)) {
    throw new EvyError('APP_BAD_STATUS', `status must be text like '200 OK' (got ${JSON.stringify(text)})`);
  }
  const facts = { status: Number(text.slice(0, 3)), line: `HTTP/1.1 ${text}\r\n` };
  if (statuses.size < maxStatuses) statuses.set(text, facts);
  return facts;
}

function isList(value: unknown): boolean {
  return Array.isArray(value);
}

/** Checks what an application gave to startResponse. @throws {EvyError} APP_BAD_STATUS, APP_BAD_HEADER */
export function checkHead(
  status: string,
  headers: ReadonlyArray<readonly [string, string]>,
  capitals: boolean,
): AppHead {
  const { status: code, line } = parseStatus(status);
  const head: AppHead = { status: code, statusLine: line, lines: '', length: undefined, hasDate: false, close: false };
  if (!isList(headers)) throw new EvyError('APP_BAD_HEADER', 'headers must be a list of [name, value] pairs');
  for (let index = 0; index < headers.length; index += 1) {
    const pair = headers[index]!;
    const name = pair[0];
    const value = pair[1];
    const facts = nameFacts(name, capitals);
    const headerLine = value === facts.value ? facts.line : lineOf(facts, name, value);
    switch (facts.kind) {
      case 'hop':
        continue;
      case 'connection':
        head.close ||= listMembers(value.toLowerCase()).includes('close');
        continue;
      case 'content-length':
        if (head.length !== undefined) throw badValue(name, value);
        head.length = facts.length;
        continue;
      case 'date':
        head.hasDate = true;
        break;
      case 'plain':
        break;
    }
    head.lines += headerLine;
  }
  return head;
}

let lastLength = 0;
let lastLengthLine = 'Content-Length: 0\r\n';

function contentLength(length: number): string {
  if (length !== lastLength) {
    lastLength = length;
    lastLengthLine = `Content-Length: ${length}\r\n`;
  }
  return lastLengthLine;
}

/**
 * Decides framing and persistence and encodes the head. `knownLength` is the body's size when it is known without a
 * Content-Length of the application.
 */
export function encodeHead(head: AppHead, context: HeadContext, knownLength: number | undefined): EncodedHead {
  const { status } = head;
  let keepAlive = context.keepAlive && !head.close;
  let framing: BodyFraming;
  let lengthLine = '';
  if (context.method === 'CONNECT' && status < 300) {
    // Neither Content-Length nor Transfer-Encoding may be sent (RFC 9110 §9.3.6). evy does not tunnel, so the response
    // ends the connection.
    framing = status === 204 || status === 205 ? 'none' : 'close';
    keepAlive = false;
  } else if (status === 204 || status === 304) {
    // These never have a body. A 304 may have the length of the corresponding 200 (RFC 9110 §8.6), if the application
    // gave it.
    framing = 'none';
    if (status === 304 && head.length !== undefined) lengthLine = contentLength(head.length);
  } else if (status === 205) {
    // The client must see that the body is empty (RFC 9110 §15.3.6).
    framing = 'none';
    lengthLine = contentLength(0);
  } else {
    const length = head.length ?? knownLength;
    if (length !== undefined) {
      framing = 'length';
      lengthLine = contentLength(length);
    } else if (context.version === 'HTTP/1.1' && !context.http10Only) {
      framing = 'chunked';
      lengthLine = 'Transfer-Encoding: chunked\r\n';
    } else {
      framing = 'close';
      keepAlive = false;
    }
    if (context.method === 'HEAD') framing = 'none';
  }
  const isHttp11 = context.version === 'HTTP/1.1' && !context.http10Only;
  const kept = context.keepAliveField || (isHttp11 ? '' : 'Connection: keep-alive\r\n');
  const connection = keepAlive ? kept : 'Connection: close\r\n';
  const date = head.hasDate ? '' : dateLine();
  const statusLine = context.http10Only ? `HTTP/1.0${head.statusLine.slice(8)}` : head.statusLine;
  return { text: `${statusLine}${head.lines}${date}${lengthLine}${connection}\r\n`, framing, keepAlive };
}

/** A complete plain-text response of the server itself, after which the connection ends. */
export function plainResponse(
  status: string,
  text: string,
  { method, http10Only }: Pick<HeadContext, 'method' | 'http10Only'>,
): string {
  const body = method === 'HEAD' ? '' : text;
  return (
    `HTTP/1.${http10Only ? 0 : 1} ${status}\r\nContent-Type: text/plain; charset=utf-8\r\n${dateLine()}` +
    `Content-Length: ${text.length}\r\nConnection: close\r\n\r\n${body}`
  );
}

/** `100 Continue` with the application's own headers (RFC 9110 §15.2.1). @throws {EvyError} APP_BAD_HEADER */
export function continueResponse(headers: ReadonlyArray<readonly [string, string]>): string {
  let lines = '';
  for (const [name, value] of headers) {
    const facts = nameFacts(name, false);
    // An interim response has no body, and does not affect the connection (RFC 9110 §8.6, RFC 9112 §6.1).
    if (facts.kind === 'hop' || facts.kind === 'content-length' || facts.kind === 'connection') continue;
    if (typeof value !== 'string' || !fieldValue.test(value)) throw badValue(name, value);
    lines += `${facts.prefix}${value}\r\n`;
  }
  return `HTTP/1.1 100 Continue\r\n${lines}\r\n`;
}

interface Persistence {
  readonly keepaliveMs: number;
  /** 0 is unlimited. */
  readonly maxRequestsPerConnection: number;
}

/**
 * The `Keep-Alive` lines of a response that keeps the connection: how long it may be idle, and how many more requests
 * it may have. Clients that read it do not send into a connection that is about to close. `requests` is the number so
 * far. The announced time is never longer than the actual one.
 */
export function keepAliveField(persistence: Persistence, requests: number): string {
  const { keepaliveMs, maxRequestsPerConnection: most } = persistence;
  const max = most > 0 ? `, max=${most - requests}` : '';
  // Fields about the connection must be listed in Connection (RFC 9110 §7.6.1).
  return `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepaliveMs / 1000)}${max}\r\n`;
}

let date: string | undefined;

function renewDate(): string {
  const nowMs = Date.now();
  setTimeout(dropDate, 1000 - (nowMs % 1000)).unref();
  return `Date: ${new Date(nowMs).toUTCString()}\r\n`;
}

function dropDate(): void {
  date = undefined;
}

/**
 * The current Date header line (RFC 9110 §6.6.1): 'Date: Sun, 06 Nov 1994 08:49:37 GMT\\r\\n'. It is cached for the
 * rest of its second, when a timer drops it, so most responses do not read the clock. There is no timer while nothing
 * is sent.
 */
function dateLine(): string {
  date ??= renewDate();
  return date;
}
