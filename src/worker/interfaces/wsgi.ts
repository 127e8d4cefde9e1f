/** Calls a WSGI application (PEP 3333): start_response, write(), iterable bodies, close(). */
import { ALREADY_HANDLED } from '../../shared/application.ts';
import type { App, Body, Chunk, StartResponse, Write } from '../../shared/application.ts';
import { EvyError, toError } from '../../shared/errors.ts';
import type { Exchange, Handler } from '../loop/exchange.ts';
import { interfaceHint } from './application-kind.ts';
import { isPromise } from '../request/posthooks.ts';

type Hint = (error: Error) => string | undefined;

export function wsgiHandler(app: App): Handler {
  const hint: Hint = (error) => interfaceHint('wsgi', app, error);
  return (exchange) => {
    let body: Body | Promise<Body>;
    try {
      body = app(exchange.env, startResponseOf(exchange));
      if (!isPromise(body) && respondAtOnce(exchange, body)) return;
    } catch (thrown) {
      exchange.fail(thrown, hint);
      exchange.finished();
      return;
    }
    void finish(exchange, body, hint);
  };
}

async function finish(exchange: Exchange, pending: Body | Promise<Body>, hint: Hint): Promise<void> {
  try {
    const body = isPromise(pending) ? await pending : pending;
    if (!respondAtOnce(exchange, body)) await sendBody(exchange, body);
  } catch (thrown) {
    exchange.fail(thrown, hint);
  }
  exchange.finished();
}

/** Sends a body that is completely available, the usual case, without waiting. Returns false for any other body. */
function respondAtOnce(exchange: Exchange, body: Body): boolean {
  if (!Array.isArray(body) || exchange.state !== 'started' || (body as Partial<Body>).close !== undefined) return false;
  exchange.respond(checkChunks(body));
  return true;
}

function startResponseOf(exchange: Exchange): StartResponse {
  const write: Write = (chunk) => {
    exchange.send(checkChunk(chunk));
    // After a disconnect nothing is ever full; this keeps an application that continues from blocking others.
    if (exchange.isOver || exchange.isExpired) return new Promise((resolve) => setImmediate(resolve));
    return exchange.isFull ? exchange.drained() : undefined;
  };
  return (status, headers, excInfo) => {
    if (excInfo !== undefined && excInfo !== null) {
      // Too late for another head: the application's own error is thrown (PEP 3333, error handling).
      if (exchange.state === 'streaming' || exchange.state === 'complete') throw toError(excInfo);
    } else if (exchange.state !== 'waiting' && exchange.state !== 'over' && !exchange.isExpired) {
      throw new EvyError('APP_STARTED_TWICE', 'startResponse was called again without excInfo');
    }
    exchange.start(status, headers);
    return write;
  };
}

async function sendBody(exchange: Exchange, body: Body): Promise<void> {
  if ((body as unknown) === ALREADY_HANDLED && exchange.state === 'taken') return;
  const close = onceOnly(exchange, body);
  // An iterator that waits forever must also learn that the client has disconnected.
  exchange.onOver(close);
  try {
    if (exchange.isOver) return;
    if (typeof body === 'string' || body instanceof Uint8Array) respondWhole(exchange, [body]);
    else if (Array.isArray(body)) respondWhole(exchange, checkChunks(body));
    else if (isIterable(body)) await iterate(exchange, body);
    else if (isAsyncIterable(body)) await iterateAsync(exchange, body);
    else
      throw new EvyError(
        'APP_BAD_BODY',
        `the application must return a body: a string, a Uint8Array or an iterable of these (got ${describe(body)})`,
      );
  } finally {
    close();
  }
}

function respondWhole(exchange: Exchange, chunks: Chunk[]): void {
  needStart(exchange);
  if (exchange.state === 'started') exchange.respond(chunks);
  else {
    for (const chunk of chunks) exchange.send(chunk);
    exchange.end();
  }
}

async function iterate(exchange: Exchange, body: Iterable<Chunk>): Promise<void> {
  for (const chunk of body) {
    if (!sendPiece(exchange, chunk)) return;
    if (exchange.isFull) await exchange.drained();
    if (exchange.isOver) return;
  }
  needStart(exchange);
  exchange.end();
}

async function iterateAsync(exchange: Exchange, body: AsyncIterable<Chunk>): Promise<void> {
  const iterator = body[Symbol.asyncIterator]();
  // The same as `for await`, but also while next() is pending.
  let isOpen = true;
  const leave = async (): Promise<void> => {
    if (!isOpen) return;
    isOpen = false;
    await iterator.return?.();
  };
  const next = async (): Promise<IteratorResult<Chunk>> => {
    try {
      return await iterator.next();
    } catch (thrown) {
      isOpen = false;
      throw thrown;
    }
  };
  exchange.onOver(() => void leave().catch((thrown: unknown) => exchange.fail(thrown)));
  try {
    for (let step = await next(); step.done !== true; step = await next()) {
      if (exchange.isOver || !sendPiece(exchange, step.value)) return;
      if (exchange.isFull) await exchange.drained();
      if (exchange.isOver) return;
    }
    isOpen = false;
    needStart(exchange);
    exchange.end();
  } finally {
    await leave();
  }
}

/** Sends a piece. Returns false when no further one is needed: HEAD only needs the head. */
function sendPiece(exchange: Exchange, chunk: Chunk): boolean {
  needStart(exchange);
  exchange.send(checkChunk(chunk));
  if (exchange.wantsMore) return true;
  exchange.end();
  return false;
}

function needStart(exchange: Exchange): void {
  if (exchange.state === 'waiting')
    throw new EvyError('APP_NO_START', 'the application returned a body without calling startResponse');
}

/** Returns a function that calls the body's close() at most once; an error in it is only logged. */
function onceOnly(exchange: Exchange, body: Body): () => void {
  let closed = false;
  return () => {
    if (closed || typeof body !== 'object' || body === null || typeof body.close !== 'function') return;
    closed = true;
    try {
      const result: unknown = body.close();
      if (isPromise(result)) void Promise.resolve(result).catch((thrown: unknown) => exchange.fail(thrown));
    } catch (thrown) {
      exchange.fail(thrown);
    }
  };
}

function checkChunk(chunk: unknown): Chunk {
  if (typeof chunk === 'string' || chunk instanceof Uint8Array) return chunk;
  throw new EvyError(
    'APP_BAD_BODY',
    `each piece of the body must be a string or a Uint8Array (got ${describe(chunk)})`,
  );
}

function checkChunks(chunks: unknown[]): Chunk[] {
  for (const chunk of chunks) checkChunk(chunk);
  return chunks as Chunk[];
}

function isIterable(value: unknown): value is Iterable<Chunk> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<Iterable<Chunk>>)[Symbol.iterator] === 'function'
  );
}

function isAsyncIterable(value: unknown): value is AsyncIterable<Chunk> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as Partial<AsyncIterable<Chunk>>)[Symbol.asyncIterator] === 'function'
  );
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? `an object (${value.constructor?.name ?? 'no prototype'})` : `a ${typeof value}`;
}
