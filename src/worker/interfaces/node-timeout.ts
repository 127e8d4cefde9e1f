/**
 * The end of a request that its listener has no say in any more: it took too long (option requestTimeout), or the rest of
 * its body is refused. A short answer while nothing was sent, else a cut that the client can see.
 *
 * The listener is told what node:http tells it of a client that has left: 'aborted', 'error' and 'close' of a request that was not
 * read to its end, and 'close' without 'finish' of the response. It may go on all the same, and what it does to the response later -
 * headers, pieces, the end - would throw or be an 'error' event that nobody listens to, and take the whole worker down. So from now
 * on the response takes everything and does nothing.
 */
import { OutgoingMessage, STATUS_CODES } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

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

/** Answers a request that no listener has heard of. */
export function answerAlone(response: ServerResponse, { status, kept = [], close = false, text }: LastAnswer): void {
  const names = new Set(kept.map((name) => name.toLowerCase()));
  for (const name of response.getHeaderNames()) if (!names.has(name)) response.removeHeader(name);
  const reason = STATUS_CODES[status] ?? 'Bad Request';
  if (close) response.setHeader('Connection', 'close');
  const body = text ?? `${status} ${reason}\n`;
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', 'Content-Length': body.length };
  response.writeHead(status, reason, headers).end(body);
}

/** `own`: what listened to the response before its listener could. */
export function endInstead(response: ServerResponse, own: OwnListeners, answer: LastAnswer): void {
  const { req: request } = response;
  // What is cut with its connection node:http tells of by itself.
  if (response.headersSent) response.destroy();
  else {
    hearAlone(response, own);
    answerAlone(response, answer);
    // Not from within the parser, nor what a listener has called.
    process.nextTick(tellOfTheEnd, request, response, own);
  }
  deafen(response);
}

type Listener = (...args: unknown[]) => unknown;

/** node:http's own listeners, and ours, of a response. */
export interface OwnListeners {
  readonly finish: readonly Listener[];
  readonly close: readonly Listener[];
}

/** Those that there are now. */
export function listenersOf(response: ServerResponse): OwnListeners {
  return {
    finish: response.rawListeners('finish') as Listener[],
    close: response.rawListeners('close') as Listener[],
  };
}

/** Whether all of a response has left, whatever its listener was told. */
export function isSent(response: ServerResponse): boolean {
  return Reflect.get(OutgoingMessage.prototype, 'writableFinished', response);
}

/** That the answer has left is nothing that the listener has done. */
function hearAlone(response: ServerResponse, own: OwnListeners): void {
  const emit = response.emit.bind(response) as (...event: unknown[]) => boolean;
  response.emit = (...event: unknown[]): boolean => {
    if (event[0] !== 'finish') return emit(...event);
    for (const listener of own.finish) listener.call(response);
    return true;
  };
}

/** As node:http tells of a client that has left, in its order. */
function tellOfTheEnd(request: IncomingMessage, response: ServerResponse, own: OwnListeners): void {
  Object.defineProperty(response, 'writableFinished', { value: false, configurable: true });
  response.destroyed = true;
  abortRequest(request);
  for (const listener of response.rawListeners('close') as Listener[]) {
    if (own.close.includes(listener)) continue;
    response.off('close', listener);
    listener.call(response);
  }
}

/** node:http's own way would destroy the connection, which is still to take the answer. */
function abortRequest(request: IncomingMessage): void {
  if (request.destroyed) return;
  const destroy = (error: Error, done: (error: Error | null) => void): void => {
    if (!request.readableEnded || !request.complete) {
      Object.assign(request, { aborted: true });
      request.emit('aborted');
    }
    // As an error that nobody listens to it would end the process.
    process.nextTick(() => done(request.listenerCount('error') > 0 ? error : null));
  };
  // What still comes is thrown away, and is read even if the listener was in no hurry.
  const readOn: (this: IncomingMessage, size: number) => void = Reflect.get(request, '_read');
  Object.assign(request, { _destroy: destroy, push: () => true });
  readOn.call(request, 0);
  request.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' }));
}
