/**
 * What an application is and what it is given: PEP 3333 carried over to TypeScript, with evy's post hooks.
 * Types only; the worker fills them in, applications import them from `evy`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';

export type Chunk = string | Uint8Array;

/** What an application returns. It may have a `close()`, which the server calls exactly once (PEP 3333). */
export type Body = (Iterable<Chunk> | AsyncIterable<Chunk> | Chunk) & { close?: () => unknown };

/** Sends a chunk; a promise is returned while the client's socket is full and resolves when more may be written. */
export type Write = (chunk: Chunk) => Promise<void> | void;

/** `status` is three digits, a space and a reason, as in '200 OK'; header names and values are latin-1. */
export type StartResponse = (
  status: string,
  headers: ReadonlyArray<readonly [string, string]>,
  excInfo?: unknown,
) => Write;

export type App = (env: Environ, startResponse: StartResponse) => Body | Promise<Body>;

/** An application for node:http: a plain listener, Express, or Koa's callback. */
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

/** An application around another one; named after the first application on the command line, applied in order. */
export type Middleware = (app: App) => App | Promise<App>;

export type PostHookFunction = (env: Environ, ...rest: never[]) => unknown;
/** `func(env, ...args, kwargs)` is called once the response has left, or the client has. */
export type PostHook = [func: PostHookFunction, args?: readonly unknown[], kwargs?: object];

/** How a response ended. */
export type Outcome =
  /** the last byte was handed to the operating system */
  | 'sent'
  /** the client went away first */
  | 'client-gone'
  /** the application failed after the head was sent, or did not deliver what its Content-Length promised */
  | 'failed'
  /** it was not complete within requestTimeout: 504, or cut when it had begun */
  | 'timed-out'
  /** the client did not take the bytes within the write time-out, or the worker was told to end */
  | 'cut';

export interface ResponseReport {
  /** the status code, or 0 when nothing was sent */
  status: number;
  /** bytes of head and body that left for the socket */
  bytesSent: number;
  /** whether the whole response left */
  completed: boolean;
  outcome: Outcome;
  durationMs: number;
}

/** `wsgi.input`: the request's body. It never reads past it. */
export interface Input extends AsyncIterable<Buffer> {
  /** Reads up to `size` bytes, or all of the rest; an empty Buffer is the end. Rejects with BODY_CUT and the like. */
  read(size?: number): Promise<Buffer>;
  /** Reads up to and with the next LF, at most `size` bytes; an empty Buffer is the end. */
  readline(size?: number): Promise<Buffer>;
  /** Reads lines until the end, or until `hint` bytes have been read. */
  readlines(hint?: number): Promise<Buffer[]>;
  /** Reads the rest and throws it away. */
  discard(): Promise<void>;
  /** Headers for the `100 Continue` that goes out at the first read. */
  setHundredContinueResponseHeaders(headers: ReadonlyArray<readonly [string, string]>): void;
  /** Sends `100 Continue` now; may be called several times, does nothing once the head was sent. */
  sendHundredContinueResponse(): void;
  /** Hands the connection over: bytes already read come first. The application then returns ALREADY_HANDLED. */
  takeSocket(): Socket;
}

/**
 * The WSGI environment: a plain object, one property a key.
 * `HTTP_*` holds one entry a header, repeated ones joined with ', ' (Cookie with '; ').
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
  /** the list is the request's own, its pairs are not to be changed */
  'headers_raw': Array<readonly [string, string]>;
  'wsgi.version': readonly [1, 0];
  'wsgi.url_scheme': 'http' | 'https';
  'wsgi.input': Input;
  'wsgi.errors': Writable;
  'wsgi.multithread': boolean;
  'wsgi.multiprocess': boolean;
  'wsgi.run_once': boolean;
  'evy.posthooks': PostHook[];
  /** the server's own input, even when the application replaces wsgi.input */
  'evy.input': Input;
  /** aborted when the client goes away, the request's deadline (requestTimeout) passes, or the grace time ends */
  'evy.signal': AbortSignal;
  /** what names the request in logs: as a trusted proxy sent it, else made by evy */
  'evy.request_id': string;
  /** W3C Trace Context, present when a trusted proxy sent a valid one */
  'evy.traceparent'?: string;
  /** trailer fields of a chunked request, present once its body has been read (RFC 9110 §6.5) */
  'evy.trailers'?: Array<[string, string]>;
  /** present before post hooks run */
  'evy.response'?: ResponseReport;
  [key: `HTTP_${string}`]: string | undefined;
  [key: string]: unknown;
}

/** Comes with the event 'evy:drain' of a socket that was taken over: its worker is leaving. */
export interface DrainNotice {
  /** milliseconds until the socket is destroyed */
  graceMs: number;
}

/** Returned as the body by an application that took the socket over (`wsgi.input.takeSocket()`). */
export const ALREADY_HANDLED: readonly [] = Object.freeze([] as const);

export type InterfaceName = 'wsgi' | 'fetch' | 'node';

/** What `fetch(request, ctx)` applications get beside the request. */
export interface FetchContext {
  env: Environ;
  /** the worker ends only after this promise is settled (within the grace time) */
  waitUntil(promise: Promise<unknown>): void;
  /** as `env['evy.posthooks'].push([func, args, kwargs])` */
  postHook(func: PostHookFunction, args?: readonly unknown[], kwargs?: object): void;
}
export interface FetchApp {
  fetch(request: Request, ctx: FetchContext): Response | Promise<Response>;
}
