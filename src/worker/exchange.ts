/**
 * One request and its response. The interfaces (wsgi, fetch) drive it: start, send or respond, end, fail; the connection
 * tells it when its last byte has left or the client has. What the application does wrong ends here, with a code.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Chunk, Environ, Outcome } from '../shared/application.ts';
import { EvyError } from '../shared/errors.ts';
import { Cancellation } from './cancellation.ts';
import type { Connection } from './connection.ts';
import { makeEnviron } from './environ.ts';
import { describeFailure, failureResponse } from './failure.ts';
import { checkHead, encodeHead } from './http/response-head.ts';
import type { AppHead } from './http/response-head.ts';
import type { Version } from './http/request-line.ts';
import type { RequestParser } from './http/request-parser.ts';
import { RequestInput } from './input.ts';
import type { InputSource } from './input.ts';
import type { Output } from './output.ts';
import { hookFailure, runPostHooks } from './posthooks.ts';
import { ResponseBody, totalLength } from './response-body.ts';
import type { Service } from './service.ts';
import { nextResponseState } from './states.ts';
import type { ResponseState } from './states.ts';

export class Exchange implements InputSource {
  readonly env: Environ;
  /** as the client sent them: what applications do to the environment must not decide about framing */
  readonly method: string;
  readonly target: string;
  readonly version: Version;
  readonly input: RequestInput;
  readonly startedMs = performance.now();
  /** whether the connection may serve another request after this one, as the client asked and the head told */
  keepAlive: boolean;
  /** position in the connection's output where this response ends */
  endOffset = Infinity;
  readonly #service: Service;
  readonly #connection: Connection;
  readonly #output: Output;
  readonly #startOffset: number;
  #state: ResponseState = 'waiting';
  #head: AppHead | undefined;
  /** once the head was sent */
  #body: ResponseBody | undefined;
  #failed = false;
  #isCut = false;
  #hooksRun = 0;
  readonly #cancellation = new Cancellation();
  #onOver: Array<() => void> | undefined;

  constructor(service: Service, connection: Connection, output: Output, parser: RequestParser) {
    this.#service = service;
    this.#connection = connection;
    this.#output = output;
    this.#startOffset = output.accepted;
    const { line, block } = parser;
    const { framing } = block;
    this.method = line.method;
    this.target = line.target;
    this.version = line.version;
    this.keepAlive = framing.keepAlive && !(service.http10Only && line.version === 'HTTP/1.1');
    this.input = new RequestInput(this, framing.body !== 'none', framing.expectsContinue);
    this.env = makeEnviron(parser, connection.peer, this.input, service.environDefaults);
  }

  get state(): ResponseState {
    return this.#state;
  }
  get isOver(): boolean {
    return this.#state === 'over';
  }
  get isFull(): boolean {
    return this.#output.isFull;
  }
  drained(): Promise<void> {
    this.#output.flush();
    return this.#output.drained();
  }
  /** Whether further pieces of the body would leave: not those of a HEAD, nor what is beyond Content-Length. */
  get wantsMore(): boolean {
    return this.#state === 'started' || (this.#state === 'streaming' && this.#body!.wantsMore);
  }
  get #isOpen(): boolean {
    return this.#state === 'started' || this.#state === 'streaming';
  }
  /** Calls back when nothing more can be sent: the client is gone, or the response was cut. At once when it is so already. */
  onOver(callback: () => void): void {
    if (this.#state === 'over') callback();
    else (this.#onOver ??= []).push(callback);
  }

  get signal(): AbortSignal {
    return this.#cancellation.signal;
  }

  /** Sets status and headers; nothing is sent yet. @throws {EvyError} APP_BAD_STATUS, APP_BAD_HEADER */
  start(status: string, headers: ReadonlyArray<readonly [string, string]>): void {
    const head = checkHead(status, headers, this.#service.settings.capitalizeResponseHeaders);
    if (this.#state === 'over' || this.#state === 'taken') return;
    this.#state = nextResponseState(this.#state, 'start');
    this.#head = head;
  }

  /** Sends a body that is known as a whole. */
  respond(chunks: readonly Chunk[]): void {
    if (!this.#isOpen) return;
    if (this.#state === 'started') this.#sendHead(totalLength(chunks), true);
    for (const chunk of chunks) this.#body!.put(chunk);
    this.end();
  }

  /** Sends a piece of the body, and the head before the first one. */
  send(chunk: Chunk): void {
    if (!this.#isOpen || chunk.length === 0) return;
    if (this.#state === 'started') this.#sendHead(undefined, false);
    this.#body!.send(chunk);
    this.#connection.flushSoon();
  }

  /** The head is the whole response: of a body that HEAD does not ask for nothing is known. */
  endHead(): void {
    if (this.#state === 'started') this.#sendHead(undefined, true);
    this.end();
  }

  end(): void {
    if (!this.#isOpen) return;
    if (this.#state === 'started') this.#sendHead(0, true);
    const missingBytes = this.#body!.end();
    const { surplusBytes } = this.#body!;
    if (surplusBytes > 0) this.#logFailure('APP_LONG_BODY', { surplusBytes });
    if (missingBytes > 0) {
      this.#logFailure('APP_SHORT_BODY', { missingBytes });
      this.#cutShort();
    } else this.#complete();
  }

  /** The application threw, or did what an application must not do. */
  fail(thrown: unknown): void {
    const failure = describeFailure(thrown);
    if (this.#state === 'over') {
      // The client left; what the application says about that is of no interest unless somebody looks for it.
      this.#service.log.debug('app.failed', { request: this.summary, error: failure.error.message });
      return;
    }
    if (failure.isClients) this.#service.refused(failure.code, this.#connection.peer.remoteAddress, this.summary);
    else {
      this.#failed = true;
      this.#logFailure(failure.code, { error: failure.error.message, stack: failure.error.stack });
    }
    if (this.#state === 'waiting' || this.#state === 'started') {
      if (failure.isClients) this.keepAlive = false;
      const { status, text } = failureResponse(failure, this.#service.settings.debug);
      this.start(status, [['Content-Type', 'text/plain; charset=utf-8']]);
      this.respond([text]);
    } else if (this.#state === 'streaming') this.#cutShort();
  }

  /** The last byte has left, or no further one can. */
  settle(outcome: Outcome): void {
    if (this.#state === 'over') return;
    this.#state = nextResponseState(this.#state, 'settle');
    const durationMs = performance.now() - this.startedMs;
    const bytesSent = Math.max(0, Math.min(this.#output.sent, this.endOffset) - this.#startOffset);
    const completed = outcome === 'sent' && !this.#isCut;
    const status = this.#body ? this.#head!.status : 0;
    const bodyBytes = this.#body ? Math.max(0, Math.min(this.#output.sent, this.endOffset) - this.#body.offset) : 0;
    this.env['evy.response'] = { status, bytesSent, completed, outcome: this.#failed ? 'failed' : outcome, durationMs };
    if (!completed) {
      const code = this.#isCut ? 'APP_FAILED' : outcome === 'client-gone' ? 'CLIENT_GONE' : 'REQUEST_CUT';
      this.#cancellation.abort(new EvyError(code, 'the response cannot be delivered'));
      for (const callback of this.#onOver ?? []) callback();
    }
    this.#service.settled(this, status, bodyBytes, durationMs / 1000);
    this.runHooks();
  }

  /** The application's work is over: hooks that it pushed after the response had ended run now. */
  finished(): void {
    if (this.#state === 'over') this.runHooks();
  }

  runHooks(): void {
    const hooks = this.env['evy.posthooks'];
    // An application may have put anything there.
    if (!Array.isArray(hooks) || hooks.length === this.#hooksRun) return;
    const from = this.#hooksRun;
    const pending = runPostHooks(this.env, from, this.#service.log);
    this.#hooksRun = hooks.length;
    for (const promise of pending) this.#service.track(promise);
  }

  /** The process does not end before this promise, within the grace time; what it is rejected with is logged. */
  waitUntil(promise: Promise<unknown>): void {
    const failed = hookFailure(this.#service.log, this.summary);
    this.#service.track(Promise.resolve(promise).then(() => {}, failed));
  }

  /** Method and target, as logs name the request. */
  get summary(): string {
    return `${this.method} ${this.target}`;
  }

  // What the input asks for.
  bodyWanted(): void {
    this.#connection.bodyWanted();
  }
  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void {
    if (this.#state === 'waiting' || this.#state === 'started') this.#connection.sendContinue(headers);
  }
  takeSocket(): Socket {
    const socket = this.#connection.takeSocket(this);
    this.#state = nextResponseState(this.#state, 'take');
    return socket;
  }

  #sendHead(knownLength: number | undefined, whole: boolean): void {
    const head = this.#head!;
    const { method, version } = this;
    const { http10Only, settings } = this.#service;
    const keeps = this.keepAlive && this.#connection.mayPersist(whole);
    const context = { method, version, http10Only, keepAlive: keeps, keepAliveField: this.#connection.keepAliveField };
    const { text, framing, keepAlive } = encodeHead(head, context, knownLength);
    this.keepAlive = keepAlive;
    this.#output.putText(text);
    const length = head.length ?? knownLength;
    this.#body = new ResponseBody(this.#output, { framing, length, leastChunkBytes: settings.minimumChunkSize });
    this.#state = nextResponseState(this.#state, 'send');
  }

  #logFailure(code: string, fields: Readonly<Record<string, unknown>>): void {
    this.#service.log.error('app.failed', { code, request: this.summary, ...fields });
  }

  #complete(): void {
    this.#state = nextResponseState(this.#state, 'end');
    this.endOffset = this.#output.accepted;
    this.#connection.responseDone(this);
  }

  /** The client must see that the response is not whole. */
  #cutShort(): void {
    this.#failed = true;
    this.#isCut = true;
    this.#state = nextResponseState(this.#state, 'end');
    this.#connection.cut(this, this.#body!.framing === 'close' ? 'reset' : 'end');
  }
}
