/**
 * The types of an application and of what it receives: PEP 3333 in TypeScript, with evy's post hooks. The worker
 * implements them; applications import them from `evy`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';

export type Chunk = string | Uint8Array;

/** The body that an application returns. It may have a `close()`, which the server calls exactly once (PEP 3333). */
export type Body = (Iterable<Chunk> | AsyncIterable<Chunk> | Chunk) & { close?: () => unknown };

/** Sends a chunk. Returns a promise while the client's socket is full; it resolves when more may be written. */
export type Write = (chunk: Chunk) => Promise<void> | void;

/**
 * Starts the response. `status` is three digits, a space and a reason, as in '200 OK'; header names and values are
 * latin-1. Errors: APP_BAD_STATUS, APP_BAD_HEADER, and APP_STARTED_TWICE for a second call without `excInfo`.
 */
export type StartResponse = (
  status: string,
  headers: ReadonlyArray<readonly [string, string]>,
  excInfo?: unknown,
) => Write;

export type App = (env: Environ, startResponse: StartResponse) => Body | Promise<Body>;

/** An application for node:http: a plain listener, Express, or Koa's callback. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Wraps an application. Middlewares are listed after the application on the command line and applied in that order. */
export type Middleware = (app: App) => App | Promise<App>;

export type PostHookFunction = (env: Environ, ...rest: never[]) => unknown;
/** `func(env, ...args, kwargs)` is called when the response has been sent or the client has disconnected. */
export type PostHook = [func: PostHookFunction, args?: readonly unknown[], kwargs?: object];

/** How a response ended. */
export type Outcome =
  /** the last byte was handed to the operating system */
  | 'sent'
  /** the client disconnected first */
  | 'client-gone'
  /** the application failed after the head was sent, or sent a body shorter than its Content-Length */
  | 'failed'
  /** the response was not complete within requestTimeout: it became a 504, or was cut if it had begun */
  | 'timed-out'
  /** the response was cut: the client did not read within socketTimeout, or the grace time of the worker was over */
  | 'cut';

export interface ResponseReport {
  /** the status code, or 0 when nothing was sent */
  status: number;
  /** bytes of head and body written to the socket */
  bytesSent: number;
  /** whether the whole response was written */
  completed: boolean;
  outcome: Outcome;
  durationMs: number;
}

/** `wsgi.input`: the request's body. It never reads beyond the body. */
export interface Input extends AsyncIterable<Buffer> {
  /**
   * Reads up to `size` bytes, or the whole rest; an empty Buffer is the end. Rejects with an EvyError: BODY_CUT,
   * BAD_CHUNK, BODY_TOO_LARGE, BODY_TIMEOUT and the like.
   */
  read(size?: number): Promise<Buffer>;
  /** Reads up to and including the next LF, at most `size` bytes; an empty Buffer is the end. */
  readline(size?: number): Promise<Buffer>;
  /** Reads lines until the end, or until `hint` bytes have been read. */
  readlines(hint?: number): Promise<Buffer[]>;
  /** Reads the rest and discards it. */
  discard(): Promise<void>;
  /** Sets headers for the `100 Continue` that is sent at the first read. */
  setHundredContinueResponseHeaders(headers: ReadonlyArray<readonly [string, string]>): void;
  /** Sends `100 Continue` now. It may be called several times, and does nothing once the head was sent. */
  sendHundredContinueResponse(): void;
  /**
   * Gives the connection to the application; bytes already received can be read first. The application then returns
   * ALREADY_HANDLED.
   */
  takeSocket(): Socket;
}

/**
 * The WSGI environment: a plain object.
 * `HTTP_*` has one entry per header, with repeated headers joined by ', ' (Cookie by '; ').
 */
export interface Environ {
  'REQUEST_METHOD': string;
  'SCRIPT_NAME': string;
  'PATH_INFO': string;
  'QUERY_STRING': string;
  'RAW_PATH_INFO': string;
  'RAW_URI': string;
  'SERVER_NAME': string;
  'SERVER_PORT': string;
  'SERVER_PROTOCOL': string;
  'SERVER_SOFTWARE': string;
  'GATEWAY_INTERFACE': string;
  'REMOTE_ADDR': string;
  'REMOTE_PORT': string;
  'CONTENT_TYPE'?: string;
  'CONTENT_LENGTH'?: string;
  'HTTPS'?: 'on';
  /** a new list for each request; its pairs must not be changed */
  'headers_raw': Array<readonly [string, string]>;
  'wsgi.version': readonly [1, 0];
  'wsgi.url_scheme': 'http' | 'https';
  'wsgi.input': Input;
  'wsgi.errors': Writable;
  'wsgi.multithread': boolean;
  'wsgi.multiprocess': boolean;
  'wsgi.run_once': boolean;
  'evy.posthooks': PostHook[];
  /** the server's own input, also when the application replaces wsgi.input */
  'evy.input': Input;
  /** aborted when the client disconnects, the request's deadline (requestTimeout) passes, or the grace time ends */
  'evy.signal': AbortSignal;
  /** the request's id in logs: from a trusted proxy, or generated by evy */
  'evy.request_id': string;
  /** W3C Trace Context; present when a trusted proxy sent a valid one */
  'evy.traceparent'?: string;
  /** trailer fields of a chunked request, present once its body has been read (RFC 9110 §6.5) */
  'evy.trailers'?: Array<[string, string]>;
  /** present when post hooks run */
  'evy.response'?: ResponseReport;
  [key: `HTTP_${string}`]: string | undefined;
  [key: string]: unknown;
}

/** The argument of the event 'evy:drain' on a socket that an application took over: its worker drains. */
export interface DrainNotice {
  /** milliseconds until the socket is destroyed */
  graceMs: number;
}

/** The body that an application returns when it took the socket over (`wsgi.input.takeSocket()`). */
export const ALREADY_HANDLED: readonly [] = Object.freeze([] as const);

export type InterfaceName = 'wsgi' | 'fetch' | 'node';

/** The second argument of `fetch(request, ctx)` applications. */
export interface FetchContext {
  env: Environ;
  /** the worker waits for this promise before it exits, at most for the grace time */
  waitUntil(promise: Promise<unknown>): void;
  /** Same as `env['evy.posthooks'].push([func, args, kwargs])`. */
  postHook(func: PostHookFunction, args?: readonly unknown[], kwargs?: object): void;
}
export interface FetchApp {
  fetch(request: Request, ctx: FetchContext): Response | Promise<Response>;
}
