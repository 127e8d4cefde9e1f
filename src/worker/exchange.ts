/**
 * One request and its response. The interfaces (wsgi, fetch) drive it: start, send or respond, end, fail; the connection
 * tells it when its last byte has left or the client has. What the application does wrong ends here, with a code.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Chunk, Environ, Outcome } from '../shared/application.ts';
import { EvyError } from '../shared/errors.ts';
import { headerIn } from './access-log/record.ts';
import { Cancellation } from './cancellation.ts';
import type { Connection } from './connection.ts';
import { makeEnviron } from './environ.ts';
import type { PeerFacts } from './environ.ts';
import { describeFailure, failureResponse, type Failure } from './failure.ts';
import { checkHead, encodeHead } from './http/response-head.ts';
import type { AppHead, BodyFraming } from './http/response-head.ts';
import type { Version } from './http/request-line.ts';
import type { RequestParser } from './http/request-parser.ts';
import { RequestInput } from './input.ts';
import type { InputSource } from './input.ts';
import type { Output } from './output.ts';
import { hookFailure, runPostHooks } from './posthooks.ts';
import { makeRequestId } from './request-id.ts';
import type { NamedRequest, RequestNames } from './request-id.ts';
import { putChunk, ResponseBody, totalLength } from './response-body.ts';
import type { Service } from './service.ts';
import { nextResponseState } from './states.ts';
import type { ResponseState } from './states.ts';

export class Exchange implements InputSource, NamedRequest {
  readonly env: Environ;
  /** as the client sent them: what applications do to the environment must not decide about framing */
  readonly method: string;
  readonly target: string;
  readonly version: Version;
  readonly input: RequestInput;
  /** who asks, by what trusted proxies say */
  readonly peer: PeerFacts;
  readonly startedMs = performance.now();
  /** whether the connection may serve another request after this one, as the client asked and the head told */
  keepAlive: boolean;
  /** position in the connection's output where this response ends */
  endOffset = Infinity;
  /** its deadline has passed: whatever the application still does goes nowhere */
  isExpired = false;
  readonly #service: Service;
  readonly #connection: Connection;
  readonly #output: Output;
  readonly #startOffset: number;
  #state: ResponseState = 'waiting';
  #head: AppHead | undefined;
  /** position in the connection's output where the body starts; -1 until the head was sent */
  #bodyOffset = -1;
  /** of a response that is sent piece by piece */
  #body: ResponseBody | undefined;
  #requestId: string | undefined;
  #traceparent: string | undefined;
  #failed = false;
  #isCut = false;
  #hooksRun = 0;
  #cancellation: Cancellation | undefined;

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
    const { forwarding, peer } = connection;
    if (forwarding === undefined) this.peer = peer;
    else {
      this.peer = forwarding.factsOf(block.variables, line.authority ?? block.variables['HTTP_HOST']);
      const { requestId, traceparent } = service.naming.received(block.variables);
      this.#requestId = requestId;
      this.#traceparent = traceparent;
    }
    this.env = makeEnviron(parser, this.peer, this.input, service.environDefaults);
    if (this.#traceparent !== undefined) this.env['evy.traceparent'] = this.#traceparent;
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
    if (this.#state === 'over' || this.isExpired) callback();
    else (this.#cancellation ??= new Cancellation()).onAbort(callback);
  }

  get signal(): AbortSignal {
    return (this.#cancellation ??= new Cancellation()).signal;
  }

  /** As received, or made now. */
  get requestId(): string {
    return (this.#requestId ??= makeRequestId());
  }
  /** What the request is called so far, for reports. */
  get names(): RequestNames {
    return { requestId: this.#requestId, traceparent: this.#traceparent };
  }

  /** Sets status and headers; nothing is sent yet. @throws {EvyError} APP_BAD_STATUS, APP_BAD_HEADER */
  start(status: string, headers: ReadonlyArray<readonly [string, string]>): void {
    const head = checkHead(status, headers, this.#service.settings.capitalizeResponseHeaders);
    if (this.#state === 'over' || this.#state === 'taken' || this.isExpired) return;
    this.#state = nextResponseState.start(this.#state);
    this.#head = head;
  }

  /** Sends a body that is known as a whole. */
  respond(chunks: readonly Chunk[]): void {
    if (!this.#isOpen) return;
    if (this.#state === 'started') {
      const length = totalLength(chunks);
      if (this.#sendWhole(chunks, length)) return;
      this.#sendHead(length, true);
    }
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
    if (this.#state === 'over' || this.isExpired) {
      // The client left, or got its answer; what the application says about that is of no interest unless somebody looks for it.
      this.#service.log.debug('app.failed', { request: this.summary, ...this.names, error: failure.error.message });
      return;
    }
    if (failure.isClients) {
      // What is wrong with its body was told when it was found.
      if (thrown !== this.input.fault) this.#service.refused(failure.code, this.peer.remoteAddress, this);
    } else {
      this.#failed = true;
      this.#logFailure(failure.code, { error: failure.error.message, stack: failure.error.stack });
    }
    if (this.#state === 'waiting' || this.#state === 'started') {
      if (failure.isClients) this.keepAlive = false;
      this.#answer(failure);
    } else if (this.#state === 'streaming') this.#cutShort();
  }

  /** The option requestTimeout: 504 if nothing was sent, else the response is cut so that the client can see it. */
  timeOut(error: EvyError): void {
    const isBegun = this.#state === 'streaming';
    this.#state = nextResponseState.expire(this.#state);
    this.isExpired = true;
    // The application first: it is to stop, and its hooks find the signal aborted.
    this.#cancel(error);
    this.input.fail(error);
    if (isBegun) this.#cutShort();
    else this.#answer(describeFailure(error));
  }

  #cancel(reason: EvyError): void {
    (this.#cancellation ??= new Cancellation()).abort(reason);
  }

  /** The last byte has left, or no further one can. */
  settle(outcome: Outcome): void {
    if (this.#state === 'over') return;
    this.#state = nextResponseState.settle(this.#state);
    if (!this.account(outcome)) {
      const code = this.#isCut ? 'APP_FAILED' : outcome === 'client-gone' ? 'CLIENT_GONE' : 'REQUEST_CUT';
      this.#cancel(new EvyError(code, 'the response cannot be delivered'));
    }
    this.runHooks();
  }

  /** `env['evy.response']` and the access line of a response that ended so. Whether all of it has left. */
  account(ended: Outcome, ledger: Pick<Service, 'settled'> = this.#service): boolean {
    const durationMs = performance.now() - this.startedMs;
    const sent = Math.min(this.#output.sent, this.endOffset);
    const completed = ended === 'sent' && !this.#isCut;
    const outcome = this.isExpired ? 'timed-out' : this.#failed ? 'failed' : ended;
    const status = this.#bodyOffset < 0 ? 0 : this.#head!.status;
    const bodyBytes = this.#bodyOffset < 0 ? 0 : Math.max(0, sent - this.#bodyOffset);
    const bytesSent = Math.max(0, sent - this.#startOffset);
    this.env['evy.response'] = { status, bytesSent, completed, outcome, durationMs };
    ledger.settled(this, status, bodyBytes, durationMs / 1000);
    return completed;
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
    const pending = runPostHooks(this.env, from, this.#service.log, this);
    this.#hooksRun = hooks.length;
    for (const promise of pending) this.#service.track(promise);
  }

  /** The process does not end before this promise, within the grace time; what it is rejected with is logged. */
  waitUntil(promise: Promise<unknown>): void {
    const failed = hookFailure(this.#service.log, this);
    this.#service.track(Promise.resolve(promise).then(() => {}, failed));
  }

  get logFields(): RequestNames & { request: string } {
    return { request: this.summary, requestId: this.requestId, traceparent: this.#traceparent };
  }
  /** Method and target, as logs name the request. */
  get summary(): string {
    return `${this.method} ${this.target}`;
  }

  /** A header that the application set, by its name in small letters, once the head was sent. For the access log. */
  responseHeader(name: string): string | undefined {
    return this.#bodyOffset < 0 ? undefined : headerIn(this.#head!.lines, name);
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
    this.#state = nextResponseState.take(this.#state);
    return socket;
  }

  /** In the application's stead. */
  #answer(failure: Failure): void {
    const { status, text } = failureResponse(failure, this.#service.settings.debug);
    this.#head = checkHead(status, [['Content-Type', 'text/plain; charset=utf-8']], true);
    this.#sendWhole([text], totalLength([text]));
  }

  /** The usual response in one go: nothing is counted that is known beforehand. False when it is not of that kind. */
  #sendWhole(chunks: readonly Chunk[], length: number): boolean {
    const head = this.#head!;
    if (head.length !== undefined && head.length !== length) return false;
    const framing = this.#putHead(length, true);
    if (framing === 'length') for (const chunk of chunks) putChunk(this.#output, chunk);
    this.#state = nextResponseState.respond(this.#state);
    this.#finish();
    return true;
  }

  #sendHead(knownLength: number | undefined, whole: boolean): void {
    const framing = this.#putHead(knownLength, whole);
    const length = this.#head!.length ?? knownLength;
    this.#body = new ResponseBody(this.#output, {
      framing,
      length,
      leastChunkBytes: this.#service.settings.minimumChunkSize,
    });
    this.#state = nextResponseState.send(this.#state);
  }

  #putHead(knownLength: number | undefined, whole: boolean): BodyFraming {
    const { http10Only } = this.#service;
    const { text, framing, keepAlive } = encodeHead(
      this.#head!,
      {
        method: this.method,
        version: this.version,
        http10Only,
        keepAlive: this.keepAlive && this.#connection.mayPersist(whole),
        keepAliveField: this.#connection.keepAliveField,
      },
      knownLength,
    );
    this.keepAlive = keepAlive;
    const { naming } = this.#service;
    this.#output.putText(naming.sends ? naming.addTo(text, this.requestId) : text);
    this.#bodyOffset = this.#output.accepted;
    return framing;
  }

  #logFailure(code: string, fields: Readonly<Record<string, unknown>>): void {
    this.#service.log.error('app.failed', { code, ...this.logFields, ...fields });
  }

  #complete(): void {
    this.#state = nextResponseState.end(this.#state);
    this.#finish();
  }

  #finish(): void {
    this.endOffset = this.#output.accepted;
    this.#connection.responseDone(this);
  }

  /** The client must see that the response is not whole. */
  #cutShort(): void {
    this.#failed = true;
    this.#isCut = true;
    this.#state = nextResponseState.end(this.#state);
    this.#connection.cut(this, this.#body!.framing === 'close' ? 'reset' : 'end');
  }
}
