/**
 * The end of a request whose listener took too long (option requestTimeout): 504 while nothing was sent, else a cut that
 * the client can see.
 *
 * The listener knows nothing of it and goes on. What it does to the response later - headers, pieces, the end - would throw or
 * be an 'error' event that nobody listens to, and take the whole worker down. So from now on the response takes everything
 * and does nothing.
 */
import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';

const status = 504;
const reason = STATUS_CODES[status]!;

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

/** Of the headers that were set, `kept` stay; all others were for another response. */
export function endTooLate(response: ServerResponse, kept: readonly string[]): void {
  if (response.headersSent) response.destroy();
  else {
    const names = new Set(kept.map((name) => name.toLowerCase()));
    for (const name of response.getHeaderNames()) if (!names.has(name)) response.removeHeader(name);
    response.writeHead(status, reason, { 'Content-Type': 'text/plain; charset=utf-8' }).end(`${reason}\n`);
  }
  deafen(response);
}
