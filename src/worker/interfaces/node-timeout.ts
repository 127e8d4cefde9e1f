/**
 * The end of a request that its listener has no say in any more: it took too long (option requestTimeout), or the rest of
 * its body is refused. A short answer while nothing was sent, else a cut that the client can see.
 *
 * The listener knows nothing of it and goes on. What it does to the response later - headers, pieces, the end - would throw or
 * be an 'error' event that nobody listens to, and take the whole worker down. So from now on the response takes everything
 * and does nothing.
 */
import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';

export interface LastAnswer {
  readonly status: number;
  /** names of headers that stay; all others were for another response */
  readonly kept?: readonly string[];
  readonly close?: boolean;
  /** the status by default */
  readonly text?: string;
}

/** write() and end() tell whoever waits for them, as if it had been sent. */
function swallow(...given: unknown[]): boolean {
  const callback = given.findLast((one) => typeof one === 'function') as (() => void) | undefined;
  if (callback !== undefined) process.nextTick(callback);
  return true;
}

const quiet = ['removeHeader', 'flushHeaders', 'addTrailers', 'writeContinue', 'writeProcessing', 'writeEarlyHints'];
const chained = ['setHeader', 'setHeaders', 'appendHeader', 'writeHead'];

function deafen(response: ServerResponse): void {
  const define = (name: string, value: unknown): void => {
    Object.defineProperty(response, name, { value, configurable: true, writable: true });
  };
  for (const name of quiet) define(name, () => {});
  for (const name of chained) define(name, () => response);
  define('write', swallow);
  define('end', (...given: unknown[]) => {
    swallow(...given);
    return response;
  });
}

export function endInstead(response: ServerResponse, { status, kept = [], close = false, text }: LastAnswer): void {
  if (response.headersSent) response.destroy();
  else {
    const names = new Set(kept.map((name) => name.toLowerCase()));
    for (const name of response.getHeaderNames()) if (!names.has(name)) response.removeHeader(name);
    const reason = STATUS_CODES[status] ?? 'Bad Request';
    if (close) response.setHeader('Connection', 'close');
    const body = text ?? `${status} ${reason}\n`;
    const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length };
    response.writeHead(status, reason, headers).end(body);
  }
  deafen(response);
}
