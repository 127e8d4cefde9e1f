/** Post hooks and the access-log line of one request that node:http serves: what an Exchange is on our own loop. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Environ, PostHook } from '../../shared/application.ts';
import { EvyError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log.ts';
import type { RequestSummary } from '../../shared/messages.ts';
import { accessFields } from '../access-log.ts';
import { Cancellation } from '../cancellation.ts';
import type { AccessFields } from '../access-log.ts';
import { makeEnviron } from '../environ.ts';
import type { EnvironDefaults, PeerFacts } from '../environ.ts';
import { fieldVariables } from '../http/field-block.ts';
import { headerName } from '../http/header-names.ts';
import type { HeaderName } from '../http/header-names.ts';
import type { Field } from '../http/fields.ts';
import { parseRequestLine } from '../http/request-line.ts';
import type { RequestLine } from '../http/request-line.ts';
import { RequestInput } from '../input.ts';
import { peerFacts } from '../peer.ts';
import { runPostHooks } from '../posthooks.ts';

interface Defaults extends EnvironDefaults {
  log: Logger;
}

export class NodeHooks {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #defaults: Defaults;
  readonly socket: Socket;
  readonly #peer: PeerFacts;
  readonly #startedMs = performance.now();
  readonly #bytesBefore: number;
  readonly #cancellation = new Cancellation();
  #hooks: PostHook[] = [];
  #failed = false;

  constructor(request: IncomingMessage, response: ServerResponse, defaults: Defaults) {
    this.#request = request;
    this.#response = response;
    this.#defaults = defaults;
    this.socket = request.socket;
    this.#peer = peerFacts(request.socket, 'encrypted' in request.socket ? 'https' : 'http');
    this.#bytesBefore = request.socket.bytesWritten;
  }

  add(hook: PostHook): void {
    this.#hooks.push(hook);
  }

  /** The listener threw. */
  fail(): void {
    this.#failed = true;
  }

  summary(): RequestSummary {
    const { method = '', url = '' } = this.#request;
    return {
      method,
      target: url,
      peer: this.#peer.remoteAddress,
      ageMs: Math.round(performance.now() - this.#startedMs),
    };
  }

  /** The response is over: runs the hooks. */
  run(): { pending: Array<Promise<void>>; access(forwardedFor: boolean): AccessFields } {
    const durationMs = performance.now() - this.#startedMs;
    const { statusCode, headersSent, writableFinished } = this.#response;
    const status = headersSent ? statusCode : 0;
    const bytesSent = this.socket.bytesWritten - this.#bytesBefore - this.socket.writableLength;
    const env = this.#environ();
    if (!writableFinished) this.#cancellation.abort(new EvyError('CLIENT_GONE', 'the response cannot be delivered'));
    env['evy.response'] = {
      status,
      bytesSent,
      completed: writableFinished,
      outcome: this.#failed ? 'failed' : writableFinished ? 'sent' : 'client-gone',
      durationMs,
    };
    env['evy.posthooks'] = this.#hooks;
    return {
      pending: this.#hooks.length > 0 ? runPostHooks(env, 0, this.#defaults.log) : [],
      access: (forwardedFor) => accessFields(env, status, bytesSent, durationMs / 1000, forwardedFor),
    };
  }

  #environ(): Environ {
    const { method = '', url = '', httpVersion, rawHeaders } = this.#request;
    const line: RequestLine = {
      method,
      target: url,
      version: httpVersion === '1.0' ? 'HTTP/1.0' : 'HTTP/1.1',
      path: url,
      query: '',
      authority: undefined,
    };
    parseRequestLine(`${method} ${url} ${line.version}`, line);
    const fields: Field[] = [];
    const names: HeaderName[] = [];
    for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
      const facts = headerName(rawHeaders[index]!);
      if (facts === undefined) continue;
      fields.push([rawHeaders[index]!, rawHeaders[index + 1]!]);
      names.push(facts);
    }
    const input = new RequestInput(
      { bodyWanted() {}, sendContinue() {}, takeSocket: () => this.socket, signal: this.#cancellation.signal },
      false,
      false,
    );
    return makeEnviron(
      { line, block: { fields, variables: fieldVariables(fields, names) } },
      this.#peer,
      input,
      this.#defaults,
    );
  }
}
