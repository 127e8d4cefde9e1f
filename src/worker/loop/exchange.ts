/**
 * One request and its response. The interfaces (wsgi, fetch) drive it: start, then send or respond, then end, or fail. It puts the
 * response, framed, into the connection's output; the connection tells it when its last byte has left or the client has.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Chunk, Environ, Outcome, ResponseReport } from '../../shared/application.ts';
import { EvyError } from '../../shared/errors.ts';
import type { RequestSummary } from '../../shared/protocol/messages.ts';
import { briefSummary } from '../../shared/protocol/summaries.ts';
import { headerIn } from '../access-log/record.ts';
import type { Version } from '../http/request-line.ts';
import type { RequestParser } from '../http/request-parser.ts';
import { checkHead, encodeHead } from '../http/response-head.ts';
import type { AppHead, BodyFraming } from '../http/response-head.ts';
import type { Sender } from '../request/admission.ts';
import { Cancellation } from '../request/cancellation.ts';
import { makeEnviron } from '../request/environ.ts';
import { describeFailure, failureResponse } from '../request/failure.ts';
import type { Failure } from '../request/failure.ts';
import { RequestInput } from '../request/request-input.ts';
import type { BodySource, InputOwner } from '../request/request-input.ts';
import { hookFailure, runPostHooks } from '../request/posthooks.ts';
import { makeRequestId } from '../request/request-id.ts';
import type { NamedRequest, RequestNames } from '../request/request-id.ts';
import type { PeerFacts } from '../transport/peer.ts';
import { nextResponseState } from './connection-states.ts';
import type { ResponseState } from './connection-states.ts';
import type { LoopContext } from './context.ts';
import type { Output } from './output.ts';
import { putChunk, ResponseBody, totalLength } from './response-body.ts';

/** Calls the application for an exchange; never throws. */
export type Handler = (exchange: Exchange) => void;

/** What carries an exchange: the connection, as far as its requests use it. */
export interface Carrier extends BodySource, Sender {
  /** Whether another request can follow. `isWhole`: the response is known as a whole, so nobody reads the rest of the body. */
  mayPersist(isWhole: boolean): boolean;
  /** What a response that keeps the connection says about it; '' is nothing. */
  readonly keepAliveField: string;
  /** Sends what is in the output, at the latest when the events at hand have been handled. */
  flushSoon(): void;
  /** All bytes of the response are in the output. */
  responseDone(exchange: Exchange): void;
  /** Ends a response that is not whole, so that the client can see it. */
  cut(exchange: Exchange, how: 'end' | 'reset'): void;
  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void;
  /** Turns the connection into a socket that belongs to the application. */
  takeSocket(exchange: Exchange): Socket;
}

export class Exchange implements InputOwner, NamedRequest {
  /** As the client sent them: what applications do to the environment must not affect framing. */
  readonly method: string;
  readonly target: string;
  readonly version: Version;
  readonly env: Environ;
  readonly input: RequestInput;
  /** Who asks, by what trusted proxies say. */
  readonly peer: PeerFacts;
  readonly startedMs = performance.now();
  /** Whether the connection may serve another request after this one, as the client asked and the head said. */
  keepAlive: boolean;
  /** Position in the connection's output where this response ends. */
  endOffset = Infinity;
  readonly #context: LoopContext;
  readonly #carrier: Carrier;
  readonly #output: Output;
  readonly #startOffset: number;
  #state: ResponseState = 'waiting';
  #hasFailed = false;
  /** The client has seen that the response is not whole. */
  #isCut = false;
  #head: AppHead | undefined;
  /** Position in the connection's output where the body starts; -1 until the head was sent. */
  #bodyOffset = -1;
  /** Of a response that is sent piece by piece. */
  #body: ResponseBody | undefined;
  #requestId: string | undefined;
  #traceparent: string | undefined;
  #hooksRun = 0;
  #cancellation: Cancellation | undefined;

  constructor(context: LoopContext, carrier: Carrier, output: Output, parser: RequestParser) {
    const { line, block } = parser;
    const { framing } = block;
    this.#context = context;
    this.#carrier = carrier;
    this.#output = output;
    this.#startOffset = output.accepted;
    this.method = line.method;
    this.target = line.target;
    this.version = line.version;
    this.keepAlive = framing.keepAlive && !(context.http10Only && line.version === 'HTTP/1.1');
    this.input = new RequestInput(this, carrier, framing.body !== 'none', framing.expectsContinue);
    const { forwarding, peer } = carrier;
    if (forwarding === undefined) this.peer = peer;
    else {
      this.peer = forwarding.factsOf(block.variables, line.authority ?? block.variables['HTTP_HOST']);
      const { requestId, traceparent } = context.naming.received(block.variables);
      this.#requestId = requestId;
      this.#traceparent = traceparent;
    }
    this.env = makeEnviron(parser, this.peer, this.input, context.environDefaults);
    if (this.#traceparent !== undefined) this.env['evy.traceparent'] = this.#traceparent;
  }

  // ---- state

  get state(): ResponseState {
    return this.#state;
  }
  /** The deadline has passed: whatever the application still sends is dropped. */
  get isExpired(): boolean {
    return this.#state === 'expired';
  }
  get isOver(): boolean {
    return this.#state === 'over';
  }
  /** The application's work is awaited. Of one that is complete, or was answered by its deadline, only the client is. */
  get isOpen(): boolean {
    return this.#state !== 'over' && this.#state !== 'complete' && this.#state !== 'expired';
  }
  get isFull(): boolean {
    return this.#output.isFull;
  }
  drained(): Promise<void> {
    this.#output.flush();
    return this.#output.drained();
  }
  /** Whether further pieces of the body would be sent: not those of a HEAD, nor what is beyond Content-Length. */
  get wantsMore(): boolean {
    return this.#state === 'started' || (this.#state === 'streaming' && this.#body!.wantsMore);
  }
  get #takesBody(): boolean {
    return this.#state === 'started' || this.#state === 'streaming';
  }

  // ---- the response, driven by an interface

  /** Sets status and headers; nothing is sent yet. @throws {EvyError} APP_BAD_STATUS, APP_BAD_HEADER */
  start(status: string, headers: ReadonlyArray<readonly [string, string]>): void {
    const head = checkHead(status, headers, this.#context.settings.capitalizeResponseHeaders);
    if (this.#state === 'over' || this.#state === 'taken' || this.#state === 'expired') return;
    this.#state = nextResponseState.start(this.#state);
    this.#head = head;
  }

  /** Sends a body that is known as a whole. */
  respond(chunks: readonly Chunk[]): void {
    if (this.#state === 'started') {
      const length = totalLength(chunks);
      if (this.#sendWhole(chunks, length)) return;
      this.#sendHead(length, true);
    } else if (this.#state !== 'streaming') return;
    for (const chunk of chunks) this.#body!.put(chunk);
    this.end();
  }

  /** Sends a piece of the body, and the head before the first one. */
  send(chunk: Chunk): void {
    if (!this.#takesBody || chunk.length === 0) return;
    if (this.#state === 'started') this.#sendHead(undefined, false);
    this.#body!.send(chunk);
    this.#carrier.flushSoon();
  }

  /** The head is the whole response: nothing is known of a body that HEAD does not ask for. */
  endHead(): void {
    if (this.#state === 'started') this.#sendHead(undefined, true);
    this.end();
  }

  end(): void {
    if (!this.#takesBody) return;
    if (this.#state === 'started') this.#sendHead(0, true);
    const missingBytes = this.#body!.end();
    const { surplusBytes } = this.#body!;
    if (surplusBytes > 0) this.#logFailure('APP_LONG_BODY', { surplusBytes });
    if (missingBytes > 0) {
      this.#logFailure('APP_SHORT_BODY', { missingBytes });
      this.#cutShort();
      return;
    }
    this.#state = nextResponseState.end(this.#state);
    this.#finish();
  }

  /** Sends the usual response in one go, without counting what is known beforehand. Returns false for one of another kind. */
  #sendWhole(chunks: readonly Chunk[], length: number): boolean {
    const head = this.#head!;
    if (head.length !== undefined && head.length !== length) return false;
    const framing = this.#putHead(length, true);
    if (framing !== 'none') for (const chunk of chunks) putChunk(this.#output, chunk);
    this.#state = nextResponseState.respond(this.#state);
    this.#finish();
    return true;
  }

  #sendHead(knownLength: number | undefined, isWhole: boolean): void {
    const framing = this.#putHead(knownLength, isWhole);
    const length = this.#head!.length ?? knownLength;
    this.#body = new ResponseBody(this.#output, {
      framing,
      length,
      leastChunkBytes: this.#context.settings.minimumChunkSize,
    });
    this.#state = nextResponseState.send(this.#state);
  }

  #putHead(knownLength: number | undefined, isWhole: boolean): BodyFraming {
    const { http10Only, naming } = this.#context;
    const { text, framing, keepAlive } = encodeHead(
      this.#head!,
      {
        method: this.method,
        version: this.version,
        http10Only,
        keepAlive: this.keepAlive && this.#carrier.mayPersist(isWhole),
        keepAliveField: this.#carrier.keepAliveField,
      },
      knownLength,
    );
    this.keepAlive = keepAlive;
    this.#output.putText(naming.sends ? naming.addTo(text, this.requestId) : text);
    this.#bodyOffset = this.#output.accepted;
    return framing;
  }

  #finish(): void {
    this.endOffset = this.#output.accepted;
    this.#carrier.responseDone(this);
  }

  // ---- failures

  /** The application threw, or did what an application must not do. */
  fail(thrown: unknown, hint?: (error: Error) => string | undefined): void {
    const failure = describeFailure(thrown);
    const { log } = this.#context;
    if (this.isOver || this.isExpired) {
      // The client left, or has its response: what the application says about that is of interest to nobody but a debugger.
      log.debug('app.failed', { request: this.summary, ...this.names, error: failure.error.message });
      return;
    }
    if (failure.isClients) {
      // A fault of its body was logged when it was found.
      if (thrown !== this.input.fault) this.#context.refused(failure.code, this.peer.remoteAddress, this);
    } else {
      this.#hasFailed = true;
      const { error } = failure;
      this.#logFailure(failure.code, { error: error.message, hint: hint?.(error), stack: error.stack });
    }
    if (this.#state === 'waiting' || this.#state === 'started') {
      if (failure.isClients) this.keepAlive = false;
      this.#answerInstead(failure);
    } else if (this.#state === 'streaming') this.#cutShort();
  }

  /** The option requestTimeout: 504 if nothing was sent, else the response is cut so that the client can see it. */
  timeOut(error: EvyError): void {
    const hasBegun = this.#state === 'streaming';
    this.#state = nextResponseState.expire(this.#state);
    // The application first: it is to stop, and its hooks find the signal aborted.
    this.#cancel(error);
    this.input.fail(error);
    if (hasBegun) this.#cutShort();
    else this.#answerInstead(describeFailure(error));
  }

  /** The rest of the body will not come: the application learns it from its reads and its signal, and its response is the last one. */
  refuseBody(error: EvyError): void {
    this.input.fail(error);
    (this.#cancellation ??= new Cancellation()).announce(error);
  }

  /** Bytes that the application gave were lost before they were sent. */
  spoil(): void {
    if (this.isOver) return;
    this.#hasFailed = true;
    this.#isCut = true;
    this.#logFailure('APP_BAD_BODY', {
      error: 'the ArrayBuffer of a piece of the body was transferred or resized before the piece was sent',
    });
  }

  /** Responds in place of the application. */
  #answerInstead(failure: Failure): void {
    const { status, text } = failureResponse(failure, this.#context.settings.debug);
    this.#head = checkHead(status, [['Content-Type', 'text/plain; charset=utf-8']], true);
    this.#sendWhole([text], totalLength([text]));
  }

  /** Ends the response so that the client sees that it is not whole. */
  #cutShort(): void {
    this.#hasFailed = true;
    this.#isCut = true;
    this.#state = nextResponseState.end(this.#state);
    this.#carrier.cut(this, this.#body!.framing === 'close' ? 'reset' : 'end');
  }

  #logFailure(code: string, fields: Readonly<Record<string, unknown>>): void {
    this.#context.log.error('app.failed', { code, ...this.logFields, ...fields });
  }

  // ---- the end of the response

  /** The last byte has left, or no further one can. */
  settle(outcome: Outcome): void {
    if (this.#state === 'over') return;
    // While the state still says how it came to this.
    const report = this.account(outcome);
    this.#state = nextResponseState.settle(this.#state);
    this.#setOptional('evy.response', report);
    if (!report.completed) {
      const code = this.#isCut ? 'APP_FAILED' : outcome === 'client-gone' ? 'CLIENT_GONE' : 'REQUEST_CUT';
      this.#cancel(new EvyError(code, 'the response cannot be delivered'));
    }
    this.#runHooks();
  }

  /** Makes `env['evy.response']` of a response that ended so, and reports it to `ledger`. */
  account(ended: Outcome, ledger: Pick<LoopContext, 'settled'> = this.#context): ResponseReport {
    const durationMs = performance.now() - this.startedMs;
    const completed = ended === 'sent' && !this.#isCut;
    const outcome = this.isExpired ? 'timed-out' : this.#hasFailed ? 'failed' : ended;
    const sentUpTo = Math.min(this.#output.sent, this.endOffset);
    const bytesSent = Math.max(0, sentUpTo - this.#startOffset);
    const hasHead = this.#bodyOffset >= 0;
    const status = hasHead ? this.#head!.status : 0;
    const report: ResponseReport = { status, bytesSent, completed, outcome, durationMs };
    ledger.settled(this, report, hasHead ? Math.max(0, sentUpTo - this.#bodyOffset) : 0);
    return report;
  }

  /** A header that the application set, by its name in lower case, once the head was sent. For the access log. */
  responseHeader(name: string): string | undefined {
    return this.#bodyOffset < 0 ? undefined : headerIn(this.#head!.lines, name);
  }

  /** The application's work is over: hooks that it pushed after the response had ended run now. */
  finished(): void {
    if (this.isOver) this.#runHooks();
  }

  #runHooks(): void {
    const hooks = this.env['evy.posthooks'];
    // An application may have put anything there.
    if (!Array.isArray(hooks) || hooks.length === this.#hooksRun) return;
    const from = this.#hooksRun;
    const pending = runPostHooks(this.env, from, this.#context.log, this);
    this.#hooksRun = hooks.length;
    for (const promise of pending) this.#context.track(promise);
  }

  /** The process does not end before this promise, within the grace time; a rejection is logged. */
  waitUntil(promise: Promise<unknown>): void {
    const failed = hookFailure(this.#context.log, this);
    this.#context.track(Promise.resolve(promise).then(() => {}, failed));
  }

  /** Calls back when nothing more can be sent: the client is gone, or the response was cut. At once when it is so already. */
  onOver(callback: () => void): void {
    if (this.isOver || this.isExpired) callback();
    else (this.#cancellation ??= new Cancellation()).onAbort(callback);
  }

  get signal(): AbortSignal {
    return (this.#cancellation ??= new Cancellation()).signal;
  }

  #cancel(reason: EvyError): void {
    (this.#cancellation ??= new Cancellation()).abort(reason);
  }

  // ---- the request: its names, and what its body and its socket are

  /** As received, or made now. */
  get requestId(): string {
    return (this.#requestId ??= makeRequestId());
  }
  /** The names that the request has so far, for reports. */
  get names(): RequestNames {
    return { requestId: this.#requestId, traceparent: this.#traceparent };
  }
  get logFields(): RequestNames & { request: string } {
    return { request: this.summary, requestId: this.requestId, traceparent: this.#traceparent };
  }
  /** Method and target, as logs name the request. */
  get summary(): string {
    return `${this.method} ${this.target}`;
  }
  brief(nowMs: number): RequestSummary {
    const { method, target, peer, names, startedMs } = this;
    return briefSummary({ method, target, peer: peer.remoteAddress, ageMs: nowMs - startedMs, ...names });
  }

  /** The body has come as a whole. */
  bodyEnded(trailers: Environ['evy.trailers']): void {
    if (trailers !== undefined) this.#setOptional('evy.trailers', trailers);
    this.input.finish();
  }

  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void {
    if (this.#state === 'waiting' || this.#state === 'started') this.#carrier.sendContinue(headers);
  }

  takeSocket(): Socket {
    const socket = this.#carrier.takeSocket(this);
    this.#state = nextResponseState.take(this.#state);
    return socket;
  }

  /** Ignores a frozen environment: these keys are optional, and nothing an application does may keep a request from its end. */
  #setOptional(key: 'evy.trailers' | 'evy.response', value: unknown): void {
    try {
      (this.env as Record<string, unknown>)[key] = value;
    } catch {
      // frozen
    }
  }
}
