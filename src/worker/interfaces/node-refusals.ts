/**
 * Refusals for node:http: of requests that it accepts and evy does not, of requests that it refuses itself, and of
 * failing applications. Responses, log lines and access lines are the same as on evy's own loop.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorTable, EvyError, toError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ServerSettings } from '../../shared/options/table.ts';
import type { AccessLog } from '../access-log/access-log.ts';
import { refusedRequest } from '../access-log/record.ts';
import { Admission } from '../request/admission.ts';
import { absoluteForm } from '../http/grammar.ts';
import { refusalText } from '../request/refusal.ts';
import type { RequestNaming } from '../request/request-id.ts';
import type { NodeConnections } from './node-connections.ts';
import type { NodeHooks, Sender } from './node-hooks.ts';
import { answerAlone, endInstead } from './node-timeout.ts';
import type { LastAnswer } from './node-timeout.ts';

/** Errors of node:http's parser that have a code of their own in evy's table. */
const parserFaults: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'HEAD_TIMEOUT',
  HPE_HEADER_OVERFLOW: 'HEAD_TOO_LARGE',
  HPE_INVALID_URL: 'BAD_TARGET',
  HPE_INVALID_HEADER_TOKEN: 'BAD_HEADER',
  HPE_INVALID_CONTENT_LENGTH: 'BAD_CONTENT_LENGTH',
  HPE_UNEXPECTED_CONTENT_LENGTH: 'BAD_TRANSFER_ENCODING',
  HPE_INVALID_TRANSFER_ENCODING: 'BAD_TRANSFER_ENCODING',
  HPE_INVALID_CHUNK_SIZE: 'BAD_CHUNK',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'BAD_CHUNK',
  HPE_CR_EXPECTED: 'BAD_BYTE',
  HPE_LF_EXPECTED: 'BAD_BYTE',
  HPE_INVALID_EOF_STATE: 'HEAD_CUT',
};

/** Undefined for an error of the socket, which is no fault of a request. */
export function parserFault(name: string | undefined): ErrorCode | undefined {
  if (name === undefined) return undefined;
  return parserFaults[name] ?? (name.startsWith('HPE_') ? 'BAD_REQUEST_LINE' : undefined);
}

function lastAnswer(code: ErrorCode): LastAnswer {
  return { status: errorTable[code].status ?? 400, close: true };
}

interface Parts {
  readonly settings: ServerSettings;
  readonly log: Logger;
  readonly accessLog: AccessLog | undefined;
  readonly naming: RequestNaming;
  readonly connections: NodeConnections;
  /** suggests another interface for a failure */
  readonly hint: (error: Error) => string | undefined;
  /** responses in progress */
  readonly active: ReadonlyMap<ServerResponse, NodeHooks>;
}

const plainText = 'text/plain; charset=utf-8';
const noLine = { method: '', target: '', version: 'HTTP/1.1', path: '', query: '', authority: undefined } as const;

export class NodeRefusals {
  readonly #parts: Parts;
  readonly #admission: Admission;
  /** Faults behind requests that are being answered; they are reported after the responses. */
  readonly #pending = new WeakMap<Socket, ErrorCode>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#admission = new Admission(parts.settings);
  }

  faultOf({ url = '', headers }: IncomingMessage, hooks: NodeHooks, sender: Sender): ErrorCode | undefined {
    const { framing } = hooks;
    if (typeof framing === 'string') return framing;
    const authority = url.startsWith('/') ? undefined : absoluteForm.exec(url)?.[1];
    if (authority !== undefined && !this.#admission.agrees(url, sender)) return 'WRONG_SCHEME';
    if (!this.#admission.allowsHost(authority, hooks.variables, sender)) return 'WRONG_HOST';
    const { maxBodyBytes } = this.#parts.settings;
    const isTooLarge = maxBodyBytes > 0 && Number(headers['content-length'] ?? 0) > maxBodyBytes;
    return isTooLarge ? 'BODY_TOO_LARGE' : undefined;
  }

  /** Refuses a request before the application gets it. */
  refuse(code: ErrorCode, response: ServerResponse, hooks: NodeHooks, sender: Sender): void {
    const { log, accessLog, connections } = this.#parts;
    log.info('request.refused', { code, peer: sender.peer.remoteAddress });
    response.once('close', () => void hooks.run(accessLog));
    connections.linger(hooks.socket);
    answerAlone(response, lastAnswer(code));
  }

  /** Calls `refuse` once a body without a length is larger than the option maxBody. */
  holdBody(request: IncomingMessage, response: ServerResponse): void {
    const { maxBodyBytes } = this.#parts.settings;
    if (maxBodyBytes === 0 || request.headers['transfer-encoding'] === undefined) return;
    const push = request.push.bind(request);
    let bytes = 0;
    request.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (chunk instanceof Uint8Array) bytes += chunk.length;
      if (bytes <= maxBodyBytes) return push(chunk, encoding);
      if (this.#parts.active.has(response) && !response.writableEnded) this.#refuseBody('BODY_TOO_LARGE', response);
      return true; // thrown away
    };
  }

  /** The application has the request already: it is answered if nothing was sent yet, and cut otherwise. */
  #refuseBody(code: ErrorCode, response: ServerResponse): void {
    const { log, active, connections } = this.#parts;
    const hooks = active.get(response)!;
    log.info('request.refused', { code, peer: hooks.summary().peer, ...hooks.logFields });
    if (!response.headersSent) connections.linger(hooks.socket);
    hooks.abort(new EvyError(code, `the request body was refused (${code})`));
    endInstead(response, hooks.ownListeners, lastAnswer(code));
  }

  /** 'clientError' of node:http: the received bytes are not a request. */
  readonly clientError = (error: NodeJS.ErrnoException, socket: Socket): void => {
    const { connections } = this.#parts;
    if (socket.destroyed) return;
    const code = parserFault(error.code);
    const client = connections.clientOf(socket);
    // Bytes behind the last request, or after a refusal, are discarded.
    if (error.code === 'HPE_CLOSED_CONNECTION' || (client === undefined && code !== 'HEAD_TIMEOUT')) return;
    if (code === undefined || client === undefined) {
      socket.destroy();
      return;
    }
    if (this.#pending.has(socket)) return;
    // A client that connected and sent nothing is closed without a response.
    if (code === 'HEAD_TIMEOUT' && !connections.hasBegun(socket)) {
      connections.linger(socket);
      connections.end(socket);
      return;
    }
    const responses = this.#responsesOn(socket);
    const unread = responses.find(({ req }) => !req.complete);
    if (unread !== undefined) this.#refuseBody(code === 'HEAD_CUT' ? 'BODY_CUT' : code, unread);
    else if (responses.length > 0) this.#pending.set(socket, code);
    else this.#refuseBytes(code, socket, client);
  };

  #responsesOn(socket: Socket): ServerResponse[] {
    return [...this.#parts.active].flatMap(([response, hooks]) => (hooks.socket === socket ? [response] : []));
  }

  /** A response on the socket is complete: a refusal behind it is sent now. */
  responseOver(socket: Socket): void {
    const code = this.#pending.get(socket);
    if (code === undefined || this.#responsesOn(socket).length > 0) return;
    this.#pending.delete(socket);
    const client = this.#parts.connections.clientOf(socket);
    if (client !== undefined && socket.writable) this.#refuseBytes(code, socket, client);
  }

  #refuseBytes(code: ErrorCode, socket: Socket, { peer }: Sender): void {
    const { log, accessLog, connections } = this.#parts;
    log.info('request.refused', { code, peer: peer.remoteAddress });
    const text = refusalText(code, '', false);
    connections.linger(socket);
    connections.end(socket, text);
    if (accessLog === undefined) return;
    const { request, report, bodyBytes } = refusedRequest(code, { peer, variables: {} }, noLine, text);
    accessLog.write(request, report, bodyBytes);
  }

  /** The application threw, or its promise was rejected. */
  fail(request: IncomingMessage, response: ServerResponse, thrown: unknown): void {
    const { log, naming, settings, active } = this.#parts;
    const error = toError(thrown);
    const { message, stack } = error;
    const hooks = active.get(response);
    if (response.destroyed && !response.writableFinished) {
      // The client has disconnected, or has its response, so a later failure is only logged for debugging.
      log.debug('app.failed', { request: `${request.method} ${request.url}`, error: message });
      return;
    }
    hooks?.fail();
    const names = hooks?.logFields ?? { request: `${request.method} ${request.url}` };
    log.error('app.failed', { code: 'APP_FAILED', ...names, error: message, hint: this.#parts.hint(error), stack });
    if (response.headersSent) {
      response.destroy();
      return;
    }
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    if (naming.sends && hooks) response.setHeader(naming.header, hooks.requestId);
    const detail = settings.debug ? `\n\n${stack}` : '';
    // The reason is replaced, since the application's own may be invalid.
    const reason = 'Internal Server Error';
    response.writeHead(500, reason, { 'Content-Type': plainText }).end(`${reason}${detail}\n`);
  }
}
