/**
 * Post hooks and the access-log line of one request that node:http serves; the counterpart of Exchange on evy's own
 * loop.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Environ, Outcome, PostHook, ResponseReport } from '../../shared/application.ts';
import { EvyError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { headBytes } from '../../shared/node-private/node-private.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { RequestSummary } from '../../shared/protocol/messages.ts';
import { briefSummary } from '../../shared/protocol/summaries.ts';
import { Cancellation } from '../request/cancellation.ts';
import type { AccessLog } from '../access-log/access-log.ts';
import type { LoggedRequest } from '../access-log/record.ts';
import { makeEnviron } from '../request/environ.ts';
import type { EnvironDefaults } from '../request/environ.ts';
import type { PeerFacts } from '../transport/peer.ts';
import type { Forwarding } from '../proxies/forwarding.ts';
import { makeRequestId } from '../request/request-id.ts';
import type { NamedRequest, RequestNames, RequestNaming } from '../request/request-id.ts';
import { fieldVariables } from '../http/field-block.ts';
import { readFraming } from '../http/request-framing.ts';
import type { Framing } from '../http/request-framing.ts';
import { headerName } from '../http/field-lines.ts';
import type { HeaderName, Field } from '../http/field-lines.ts';
import { parseRequestLine } from '../http/request-line.ts';
import type { RequestLine } from '../http/request-line.ts';
import { requestTimedOut } from '../request/request-deadlines.ts';
import { RequestInput } from '../request/request-input.ts';
import { runPostHooks } from '../request/posthooks.ts';
import { isSent } from './node-timeout.ts';
import type { OwnListeners } from './node-timeout.ts';

interface Defaults extends EnvironDefaults {
  log: Logger;
  naming: RequestNaming;
}

/** A connection's peer, and which of its headers are trusted. */
export interface Sender {
  readonly peer: PeerFacts;
  readonly forwarding: Forwarding | undefined;
}

interface RequestFields {
  fields: Field[];
  names: HeaderName[];
  variables: Record<string, string>;
}

export class NodeHooks implements NamedRequest {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #defaults: Defaults;
  readonly socket: Socket;
  readonly #sender: Sender;
  /** the response's listeners before the application gets it */
  ownListeners: OwnListeners = { finish: [], close: [] };
  readonly #startedMs = performance.now();
  #bytesBefore: number;
  readonly #cancellation = new Cancellation();
  #hooks: PostHook[] = [];
  #failed = false;
  #isExpired = false;
  #requestId: string | undefined;
  #traceparent: string | undefined;
  #fields: RequestFields | undefined;

  constructor(request: IncomingMessage, response: ServerResponse, sender: Sender, defaults: Defaults) {
    this.#request = request;
    this.#response = response;
    this.#defaults = defaults;
    this.socket = request.socket;
    this.#sender = sender;
    this.#bytesBefore = request.socket.bytesWritten;
    if (sender.forwarding !== undefined) this.#setNames(defaults.naming.received(this.#requestFields().variables));
  }

  /** HTTP_* of the request. */
  get variables(): Readonly<Record<string, string>> {
    return this.#requestFields().variables;
  }

  /** The framing of body, host and connection by evy's rules; an error code when the header violates them. */
  get framing(): Framing | ErrorCode {
    const { fields, names } = this.#requestFields();
    return readFraming(this.#request.httpVersion === '1.0' ? 'HTTP/1.0' : 'HTTP/1.1', fields, names);
  }

  /** `100 Continue` is not part of the response. */
  sendContinue(): void {
    this.#response.writeContinue();
    this.#bytesBefore = this.socket.bytesWritten;
  }

  add(hook: PostHook): void {
    this.#hooks.push(hook);
  }

  /** The application threw. */
  fail(): void {
    this.#failed = true;
  }

  /** Aborted when the response cannot be delivered, or the deadline has passed. */
  get signal(): AbortSignal {
    return this.#cancellation.signal;
  }
  get isExpired(): boolean {
    return this.#isExpired;
  }
  /** Ends the request without the application. */
  abort(reason: EvyError): void {
    this.#cancellation.abort(reason);
  }
  /** The deadline of the request has passed. */
  expire(): void {
    this.#isExpired = true;
    this.#cancellation.abort(requestTimedOut());
  }

  summary(): RequestSummary {
    const { method = '', url = '' } = this.#request;
    return briefSummary({
      method,
      target: url,
      peer: this.#peer().remoteAddress,
      ageMs: performance.now() - this.#startedMs,
      requestId: this.#requestId,
      traceparent: this.#traceparent,
    });
  }

  /** The id as received, or a new one. */
  get requestId(): string {
    return (this.#requestId ??= makeRequestId());
  }
  get logFields(): RequestNames & { request: string } {
    const { method, url } = this.#request;
    return { request: `${method} ${url}`, requestId: this.requestId, traceparent: this.#traceparent };
  }

  /**
   * The response is complete: writes the access line, then runs the hooks. Returns the promises of asynchronous hooks.
   */
  run(accessLog: AccessLog | undefined): ReadonlyArray<Promise<void>> {
    const sent = isSent(this.#response);
    if (!sent && !this.#isExpired)
      this.#cancellation.abort(new EvyError('CLIENT_GONE', 'the response cannot be delivered'));
    const env = this.#account(accessLog, sent ? 'sent' : 'client-gone');
    return this.#hooks.length > 0 ? runPostHooks(env, 0, this.#defaults.log, this) : [];
  }

  /** The process is about to be killed: writes the access line with the state of the response so far. No hook runs. */
  lastWords(accessLog: Pick<AccessLog, 'write'> | undefined): void {
    this.#account(accessLog, 'cut');
  }

  #account(accessLog: Pick<AccessLog, 'write'> | undefined, ended: Outcome): Environ {
    const durationMs = performance.now() - this.#startedMs;
    const { statusCode, headersSent } = this.#response;
    const outcome = this.#isExpired ? 'timed-out' : this.#failed ? 'failed' : ended;
    const status = headersSent ? statusCode : 0;
    const bytesSent = this.socket.bytesWritten - this.#bytesBefore - this.socket.writableLength;
    const env = this.#environ();
    const report: ResponseReport = { status, bytesSent, completed: isSent(this.#response), outcome, durationMs };
    env['evy.response'] = report;
    env['evy.posthooks'] = this.#hooks;
    accessLog?.write(this.#logged(env), report, this.#bodyBytes(bytesSent));
    return env;
  }

  #logged(env: Environ): LoggedRequest {
    const { method = '', url: target = '', httpVersion } = this.#request;
    const responseHeader = (name: string): string | undefined => {
      const value = this.#response.headersSent ? this.#response.getHeader(name) : undefined;
      return Array.isArray(value) ? value.join(', ') : value === undefined ? undefined : String(value);
    };
    return { env, method, target, version: `HTTP/${httpVersion}`, responseHeader };
  }

  /** The bytes of the body among those sent. If the client disconnected early, not even the head may be complete. */
  #bodyBytes(bytesSent: number): number {
    return Math.max(0, bytesSent - headBytes(this.#response));
  }

  #environ(): Environ {
    const { method = '', url = '', httpVersion } = this.#request;
    const line: RequestLine = {
      method,
      target: url,
      version: httpVersion === '1.0' ? 'HTTP/1.0' : 'HTTP/1.1',
      path: url,
      query: '',
      authority: undefined,
    };
    parseRequestLine(`${method} ${url} ${line.version}`, line);
    const { requestId } = this;
    const input = new RequestInput(
      {
        sendContinue() {},
        takeSocket: () => this.socket,
        signal: this.#cancellation.signal,
        requestId,
      },
      { bodyWanted() {} },
      false,
      false,
    );
    const env = makeEnviron({ line, block: this.#requestFields() }, this.#peer(), input, this.#defaults);
    if (this.#traceparent !== undefined) env['evy.traceparent'] = this.#traceparent;
    return env;
  }

  /** The client, as trusted proxies report it. */
  #peer(): PeerFacts {
    const { peer, forwarding } = this.#sender;
    if (forwarding === undefined) return peer;
    const { variables } = this.#requestFields();
    return forwarding.factsOf(variables, variables['HTTP_HOST']);
  }

  #setNames({ requestId, traceparent }: RequestNames): void {
    this.#requestId = requestId;
    this.#traceparent = traceparent;
  }

  #requestFields(): RequestFields {
    if (this.#fields !== undefined) return this.#fields;
    const { rawHeaders } = this.#request;
    const fields: Field[] = [];
    const names: HeaderName[] = [];
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const facts = headerName(rawHeaders[index]!);
      if (facts === undefined) continue;
      fields.push([rawHeaders[index]!, rawHeaders[index + 1]!]);
      names.push(facts);
    }
    return (this.#fields = { fields, names, variables: fieldVariables(fields, names) });
  }
}
