/**
 * A one-process server for the length of a test. When the test's own part is over the clients are closed, and then the
 * server must come to rest: no connection, no request, no hook left, whatever happened before.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { listen, wrapSsl, wsgi, type Address, type App } from '../../../src/index.ts';
import type { ListenSocket } from '../../../src/worker/accepting/listen-socket.ts';
import { certfile, keyfile } from '../../helpers/certificates.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';
import { connect, type RawClient, type Target } from '../../helpers/raw-client.ts';
import { waitFor } from '../../helpers/wait-for.ts';

export interface Options extends wsgi.ServerOptions {
  /** where to listen, instead of any port of 127.0.0.1 */
  at?: Address;
  tls?: boolean;
}

export type LogLine = Record<string, unknown> & { event: string };

export interface Served {
  readonly server: wsgi.RunningServer;
  readonly target: Target;
  /** the access log so far */
  readonly accessLines: string[];
  connect(): Promise<RawClient>;
  /** the lines of the server's log, of one event */
  logged(event: string): LogLine[];
  /** no connection, request or hook is left, once the clients are closed */
  rest(): Promise<void>;
}

async function start(app: App, { at = ['127.0.0.1', 0], tls = false, ...options }: Options): Promise<Served> {
  const logFile = join(await tempFolder(), 'server.log');
  const accessLines: string[] = [];
  const plain: ListenSocket = listen(at);
  const socket = tls ? wrapSsl(plain, { certfile, keyfile, serverSide: true }) : plain;
  const log = { write: (line: string) => accessLines.push(line.trimEnd()) };
  const server = wsgi.server(socket, app, { log, logFile, logLevel: 'debug', logStyle: 'json', ...options });
  onEnd(() => server.stop({ graceMs: 0 }).catch(() => {}));
  const address = await server.ready;
  const target: Target = { ...('path' in address ? { path: address.path } : address), tls };
  const clients: RawClient[] = [];
  return {
    server,
    target,
    accessLines,
    connect: async () => {
      const client = await connect(target);
      clients.push(client);
      return client;
    },
    logged: (event) =>
      readFileSync(logFile, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LogLine)
        .filter((line) => line.event === event),
    rest: async () => {
      for (const client of clients) client.close();
      const busy = () => {
        const { connections, activeRequests, pendingHooks } = server.counters;
        return { connections, activeRequests, pendingHooks };
      };
      const isAtRest = () => Object.values(busy()).every((count) => count === 0);
      await waitFor('the server at rest', isAtRest).catch(() => {});
      expect(busy(), 'what is left').to.deep.equal({ connections: 0, activeRequests: 0, pendingHooks: 0 });
    },
  };
}

/** The function of a test: `it('...', withServer(app, {}, async ({ connect }) => { ... }))`. */
export function withServer(app: App, options: Options, test: (served: Served) => Promise<void>): () => Promise<void> {
  return async () => {
    const served = await start(app, options);
    await test(served);
    await served.rest();
    await served.server.stop({ graceMs: 1000 });
  };
}

/** The function of a test that has things of its own beside the server: `it('...', scenario(() => { ... return withServer(...) }))`. */
export function scenario(make: () => () => Promise<void>): () => Promise<void> {
  return async () => make()();
}

/** A request without body, for HTTP/1.1. */
export const get = (path = '/', headers = '', method = 'GET'): string =>
  `${method} ${path} HTTP/1.1\r\nHost: test\r\n${headers}\r\n`;
/** A request with a body of known length. */
export const post = (body: string, headers = '', path = '/'): string =>
  `POST ${path} HTTP/1.1\r\nHost: test\r\nContent-Length: ${Buffer.byteLength(body, 'latin1')}\r\n${headers}\r\n${body}`;

/** An application that answers with one text. */
export const answer =
  (
    text: string | ((env: Parameters<App>[0]) => string),
    headers: Array<[string, string]> = [],
    status = '200 OK',
  ): App =>
  (env, startResponse) => {
    startResponse(status, headers);
    return [typeof text === 'string' ? text : text(env)];
  };

/** An application that answers with the body that it was sent. */
export const echo: App = async (env, startResponse) => {
  const body = await env['wsgi.input'].read();
  startResponse('200 OK', []);
  return [body];
};

/** A promise that is settled from outside. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (reason: Error) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
