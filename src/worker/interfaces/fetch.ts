/** Calls a `fetch(request, ctx)` application on evy's own loop: a web-standard Request in, a Response out. */
import { STATUS_CODES } from 'node:http';
import type { Environ, FetchApp, FetchContext } from '../../shared/application.ts';
import { EvyError } from '../../shared/errors.ts';
import type { Exchange, Handler } from '../loop/exchange.ts';

/** Methods that the Request constructor refuses (Fetch standard, forbidden methods). */
const forbidden: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

export function fetchHandler(app: FetchApp): Handler {
  return (exchange) => {
    void serve(app, exchange).finally(() => exchange.finished());
  };
}

async function serve(app: FetchApp, exchange: Exchange): Promise<void> {
  try {
    if (forbidden.has(exchange.method.toUpperCase())) {
      exchange.start('501 Not Implemented', [['Content-Type', 'text/plain']]);
      exchange.respond(['501 Not Implemented\n']);
      return;
    }
    const request = makeRequest(exchange);
    keep(request, exchange);
    const response = await app.fetch(request, contextOf(exchange));
    if (!(response instanceof Response)) {
      throw new EvyError('APP_BAD_BODY', 'fetch() must return a Response');
    }
    await sendResponse(exchange, response);
  } catch (thrown) {
    exchange.fail(thrown);
  }
}

/**
 * A Request has only a weak reference to the signal that it was made with, and its own signal is aborted only while the
 * Request lives. So the Request is kept: an application may keep nothing but `request.signal`, and must still learn
 * that the client has disconnected.
 */
function keep(request: Request, exchange: Exchange): void {
  exchange.onOver(() => request);
}

function contextOf(exchange: Exchange): FetchContext {
  return {
    env: exchange.env,
    waitUntil: (promise) => exchange.waitUntil(promise),
    postHook: (func, args = [], kwargs) => {
      exchange.env['evy.posthooks'].push(kwargs === undefined ? [func, args] : [func, args, kwargs]);
    },
  };
}

/** Returns the URL that the client requested. */
function requestUrl(env: Environ): string {
  const host = env['HTTP_HOST'] ?? localHost(env);
  const query = env.QUERY_STRING === '' ? '' : `?${env.QUERY_STRING}`;
  // A URL treats a backslash as a slash; proxies in front, and their access rules, do not.
  const path = env.RAW_PATH_INFO.startsWith('/') ? env.RAW_PATH_INFO.replaceAll('\\', '%5C') : '/';
  return `${env['wsgi.url_scheme']}://${host}${path}${query}`;
}

function localHost(env: Environ): string {
  const name = env.SERVER_NAME.includes(':') ? `[${env.SERVER_NAME}]` : env.SERVER_NAME;
  return env.SERVER_PORT === '' ? name : `${name}:${env.SERVER_PORT}`;
}

function makeRequest(exchange: Exchange): Request {
  const { env, input } = exchange;
  const method = env.REQUEST_METHOD;
  const init: RequestInit & { duplex?: 'half' } = {
    method,
    headers: new Headers(env.headers_raw as Array<[string, string]>),
    signal: exchange.signal,
  };
  if (input.isExpected && method !== 'GET' && method !== 'HEAD') {
    init.body = bodyStream(input);
    init.duplex = 'half';
  }
  const url = requestUrl(env);
  // A well-formed Host may still be invalid in a URL: 1.2.3.4.5, or a port above 65535.
  if (!URL.canParse(url))
    throw new EvyError('BAD_HOST', `the request has a host that cannot be part of a URL: ${String(env['HTTP_HOST'])}`);
  return new Request(url, init);
}

function bodyStream(input: Exchange['input']): ReadableStream<Uint8Array> {
  const chunks = input[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await chunks.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

async function sendResponse(exchange: Exchange, response: Response): Promise<void> {
  const { body, status, statusText } = response;
  exchange.start(`${status} ${statusText || (STATUS_CODES[status] ?? '')}`, [...response.headers]);
  if (body === null) {
    exchange.respond([]);
    return;
  }
  const reader = (body as ReadableStream<Uint8Array>).getReader();
  exchange.onOver(() => void reader.cancel().catch(() => {}));
  if (exchange.method === 'HEAD') {
    await reader.cancel();
    exchange.endHead();
    return;
  }
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      if (!(step.value instanceof Uint8Array))
        throw new EvyError('APP_BAD_BODY', 'the body of a Response must yield Uint8Arrays only');
      exchange.send(step.value);
      if (!exchange.wantsMore) break;
      if (exchange.isFull) await exchange.drained();
      if (exchange.isOver) return;
    }
    exchange.end();
  } finally {
    // This has no effect on a stream that has ended.
    void reader.cancel().catch(() => {});
  }
}
