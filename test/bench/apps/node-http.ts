/** The jobs as `node:http` listeners: the plain way, and some that do all that an evy application gets. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { blob, greeting, streamedPieces, type Job } from '../works.ts';

const octets = { 'Content-Type': 'application/octet-stream' };

function stream(response: ServerResponse, from = 0): void {
  for (let piece = from; piece < streamedPieces; piece += 1) {
    if (response.write(blob)) continue;
    response.once('drain', () => stream(response, piece + 1));
    return;
  }
  response.end();
}

export const listeners: Readonly<Record<Job, RequestListener>> = {
  hello(_request, response) {
    response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': greeting.length });
    response.end(greeting);
  },
  echo(request, response) {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length });
      response.end(body);
    });
  },
  blob(_request, response) {
    response.writeHead(200, { ...octets, 'Content-Length': blob.length });
    response.end(blob);
  },
  stream(_request, response) {
    response.writeHead(200, octets);
    stream(response);
  },
};

let bytesSent = 0;

/** What CGI and WSGI give an application, and a hook that runs when the response has left. */
function environmentOf(request: IncomingMessage): Record<string, unknown> {
  const { method, url = '', httpVersion, headers, socket } = request;
  const question = url.indexOf('?');
  const path = question < 0 ? url : url.slice(0, question);
  const env: Record<string, unknown> = {
    REQUEST_METHOD: method,
    SCRIPT_NAME: '',
    PATH_INFO: decodeURIComponent(path),
    QUERY_STRING: question < 0 ? '' : url.slice(question + 1),
    RAW_PATH_INFO: path,
    RAW_URI: url,
    SERVER_NAME: socket.localAddress,
    SERVER_PORT: String(socket.localPort),
    SERVER_PROTOCOL: `HTTP/${httpVersion}`,
    REMOTE_ADDR: socket.remoteAddress,
    REMOTE_PORT: String(socket.remotePort),
  };
  for (const [name, value] of Object.entries(headers)) env[`HTTP_${name.toUpperCase().replaceAll('-', '_')}`] = value;
  return env;
}

function helloWithHook(request: IncomingMessage, response: ServerResponse): void {
  const env = environmentOf(request);
  const before = request.socket.bytesWritten;
  const startedMs = performance.now();
  response.once('finish', () => {
    env['response'] = {
      status: response.statusCode,
      bytesSent: request.socket.bytesWritten - before,
      durationMs: performance.now() - startedMs,
    };
    bytesSent += (env['response'] as { bytesSent: number }).bytesSent;
  });
  listeners.hello(request, response);
}

/** With the environment that an application gets; `hello` with its hook, too. */
export const sameWork: Readonly<Partial<Record<Job, RequestListener>>> = {
  hello: helloWithHook,
  echo(request, response) {
    // Kept, so that it is made.
    Object.assign(request, { env: environmentOf(request) });
    listeners.echo(request, response);
  },
};
