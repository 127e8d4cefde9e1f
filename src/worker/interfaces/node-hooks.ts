/** Post hooks and the access-log line of one request that node:http serves: what an Exchange is on our own loop. */
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
import { readFraming } from '../http/framing.ts';
import type { Framing } from '../http/framing.ts';
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

/** Who is connected, and what it is believed. */
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
  /** of the response, before its listener gets it */
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
    if (sender.forwarding !== undefined) this.#takeNames(defaults.naming.received(this.#requestFields().variables));
  }

  /** HTTP_* of the request. */
  get variables(): Readonly<Record<string, string>> {
    return this.#requestFields().variables;
  }

  /** What the header says about body, host and connection, by our own rules; an error code when they are broken. */
  get framing(): Framing | ErrorCode {
    const { fields, names } = this.#requestFields();
    return readFraming(this.#request.httpVersion === '1.0' ? 'HTTP/1.0' : 'HTTP/1.1', fields, names);
  }

  /** `100 Continue` is no part of the response. */
  sendContinue(): void {
    this.#response.writeContinue();
    this.#bytesBefore = this.socket.bytesWritten;
  }

  add(hook: PostHook): void {
    this.#hooks.push(hook);
  }

  /** The listener threw. */
  fail(): void {
    this.#failed = true;
  }

  /** Aborted when the response cannot be delivered, or its deadline has passed. */
  get signal(): AbortSignal {
    return this.#cancellation.signal;
  }
  get isExpired(): boolean {
    return this.#isExpired;
  }
  /** It ends without the listener. */
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

  /** As received, or made now. */
  get requestId(): string {
    return (this.#requestId ??= makeRequestId());
  }
  get logFields(): RequestNames & { request: string } {
    const { method, url } = this.#request;
    return { request: `${method} ${url}`, requestId: this.requestId, traceparent: this.#traceparent };
  }

  /** The response is over: access line, then hooks. Returns those that take time. */
  run(accessLog: AccessLog | undefined): ReadonlyArray<Promise<void>> {
    const sent = isSent(this.#response);
    if (!sent && !this.#isExpired)
      this.#cancellation.abort(new EvyError('CLIENT_GONE', 'the response cannot be delivered'));
    const env = this.#account(accessLog, sent ? 'sent' : 'client-gone');
    return this.#hooks.length > 0 ? runPostHooks(env, 0, this.#defaults.log, this) : [];
  }

  /** The process is about to be killed: the access line, as far as the response got. No hook runs. */
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

  /** What of the bytes that left was no head; of a client that left early perhaps not even all of the head. */
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

  /** Who asks, by what trusted proxies say. */
  #peer(): PeerFacts {
    const { peer, forwarding } = this.#sender;
    if (forwarding === undefined) return peer;
    const { variables } = this.#requestFields();
    return forwarding.factsOf(variables, variables['HTTP_HOST']);
  }

  #takeNames({ requestId, traceparent }: RequestNames): void {
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
