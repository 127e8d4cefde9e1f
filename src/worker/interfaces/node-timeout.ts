/**
 * Ends a request on behalf of its application: it took too long (option requestTimeout), or the rest of its body is
 * refused. A short response is sent if nothing was sent yet; otherwise the response is cut so that the client notices.
 *
 * The application gets the events that node:http emits for a client that has disconnected: 'aborted', 'error' and
 * 'close' of a request that was not read to its end, and 'close' without 'finish' of the response. It may continue all
 * the same, and its later calls on the response (headers, chunks, the end) would throw or emit an 'error' without a
 * listener, and so end the worker. So from now on these calls have no effect.
 */
import { OutgoingMessage, STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface LastAnswer {
  readonly status: number;
  /** names of headers to keep; all others belonged to another response */
  readonly kept?: readonly string[];
  readonly close?: boolean;
  /** the text; by default the status */
  readonly text?: string;
}

/** write() and end() call back as if the data had been sent. */
function swallow(...given: unknown[]): boolean {
  const callback = given.findLast((one) => typeof one === 'function') as (() => void) | undefined;
  if (callback !== undefined) process.nextTick(callback);
  return true;
}

const quiet = [
  'destroy',
  'removeHeader',
  'flushHeaders',
  'addTrailers',
  'writeContinue',
  'writeProcessing',
  'writeEarlyHints',
];
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

/** Responds to a request that the application has not received. */
export function answerAlone(response: ServerResponse, { status, kept = [], close = false, text }: LastAnswer): void {
  const names = new Set(kept.map((name) => name.toLowerCase()));
  for (const name of response.getHeaderNames()) if (!names.has(name)) response.removeHeader(name);
  const reason = STATUS_CODES[status] ?? 'Bad Request';
  if (close) response.setHeader('Connection', 'close');
  const body = text ?? `${status} ${reason}\n`;
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length };
  response.writeHead(status, reason, headers).end(body);
}

/** `own`: the response's listeners before the application added any. */
export function endInstead(response: ServerResponse, own: OwnListeners, answer: LastAnswer): void {
  const { req: request } = response;
  // node:http itself emits the events when the connection is destroyed.
  if (response.headersSent) response.destroy();
  else {
    hideFinish(response, own);
    answerAlone(response, answer);
    // Deferred, so that this runs neither in the parser nor in a call of the application.
    process.nextTick(emitDisconnect, request, response, own);
  }
  deafen(response);
}

type Listener = (...args: unknown[]) => unknown;

/** The listeners of a response that node:http and evy have added. */
export interface OwnListeners {
  readonly finish: readonly Listener[];
  readonly close: readonly Listener[];
}

/** Returns the current listeners. */
export function listenersOf(response: ServerResponse): OwnListeners {
  return {
    finish: response.rawListeners('finish') as Listener[],
    close: response.rawListeners('close') as Listener[],
  };
}

/** Whether the whole response was sent, whatever the application was told. */
export function isSent(response: ServerResponse): boolean {
  return Reflect.get(OutgoingMessage.prototype, 'writableFinished', response);
}

/** The application must not be told that this response was sent, since it is not its own. */
function hideFinish(response: ServerResponse, own: OwnListeners): void {
  const emit = response.emit.bind(response) as (...event: unknown[]) => boolean;
  response.emit = (...event: unknown[]): boolean => {
    if (event[0] !== 'finish') return emit(...event);
    for (const listener of own.finish) listener.call(response);
    return true;
  };
}

/** Emits the events of a client that has disconnected, in node:http's order. */
function emitDisconnect(request: IncomingMessage, response: ServerResponse, own: OwnListeners): void {
  Object.defineProperty(response, 'writableFinished', { value: false, configurable: true });
  response.destroyed = true;
  abortRequest(request);
  for (const listener of response.rawListeners('close') as Listener[]) {
    if (own.close.includes(listener)) continue;
    response.off('close', listener);
    listener.call(response);
  }
}

/** node:http's own method would destroy the connection, which must still send the response. */
function abortRequest(request: IncomingMessage): void {
  if (request.destroyed) return;
  const destroy = (error: Error, done: (error: Error | null) => void): void => {
    if (!request.readableEnded || !request.complete) {
      Object.assign(request, { aborted: true });
      request.emit('aborted');
    }
    // Without a listener the error would end the process.
    process.nextTick(() => done(request.listenerCount('error') > 0 ? error : null));
  };
  // Further bytes are read and discarded, even if the application had paused the request.
  const readOn: (this: IncomingMessage, size: number) => void = Reflect.get(request, '_read');
  Object.assign(request, { _destroy: destroy, push: () => true });
  readOn.call(request, 0);
  request.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
}
