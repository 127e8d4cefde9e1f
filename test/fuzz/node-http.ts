/**
 * What node:http makes of bytes: the requests that it hands to a listener, and where it refuses. Its own server runs
 * on a stream in memory that hands it the bytes in one synchronous call, so that a comparison costs no system call.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';

export interface NodeRequest {
  method: string;
  target: string;
  version: string;
  fields: [string, string][];
  keepAlive: boolean;
  /** latin1 */
  body: string;
  trailers: [string, string][];
  /** its body has come to its end */
  whole: boolean;
}

export interface NodeOutcome {
  requests: NodeRequest[];
  /** its parser's code, or the status that the server answered by itself; undefined when it waits for more */
  refused: string | undefined;
  /** it takes what follows for another protocol */
  switched: boolean;
}

class MemorySocket extends Duplex {
  written = '';
  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.written += chunk.toString('latin1');
    done();
  }
  setTimeout(): this {
    return this;
  }
}

interface Heard {
  messages: Array<{ request: IncomingMessage; keepAlive: boolean }>;
  refused: string | undefined;
  switched: boolean;
}
let heard: Heard = { messages: [], refused: undefined, switched: false };

const listen = (request: IncomingMessage, response: ServerResponse): void => {
  heard.messages.push({ request, keepAlive: response.shouldKeepAlive });
};
const server = createServer(
  { keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0, maxHeaderSize: 80_000 },
  listen,
);
server.on('checkContinue', listen);
server.on('connect', (request: IncomingMessage) => {
  heard.switched = true;
  heard.messages.push({ request, keepAlive: false });
});
server.on('clientError', (error: NodeJS.ErrnoException) => {
  heard.refused ??= error.code ?? error.message;
});

const pairs = (raw: readonly string[]): [string, string][] =>
  Array.from({ length: raw.length / 2 }, (_, index) => [raw[2 * index]!, raw[2 * index + 1]!]);

function describe({ request, keepAlive }: Heard['messages'][number]): NodeRequest {
  let body = '';
  for (let part = request.read() as Buffer | null; part !== null; part = request.read() as Buffer | null) {
    body += part.toString('latin1');
  }
  return {
    method: request.method!,
    target: request.url!,
    version: `HTTP/${request.httpVersion}`,
    fields: pairs(request.rawHeaders),
    keepAlive,
    body,
    trailers: pairs(request.rawTrailers),
    whole: request.complete || request.method === 'CONNECT',
  };
}

/** All of it in one turn; streams tidy up in the next one, which the caller has to allow now and then. */
export function parseByNode(bytes: Buffer): NodeOutcome {
  heard = { messages: [], refused: undefined, switched: false };
  const socket = new MemorySocket({ allowHalfOpen: true });
  server.emit('connection', socket);
  socket.emit('data', bytes);
  // Host and Expect are the server's own affair: it answers without asking a listener.
  const status = /^HTTP\/1\.1 (4\d\d)/.exec(socket.written)?.[1];
  const { messages, refused, switched } = heard;
  const outcome = { requests: messages.map(describe), refused: refused ?? status, switched };
  socket.emit('close');
  return outcome;
}
