/**
 * One request and its response. An interface (wsgi, fetch) drives it: start, then send or respond, then end, or fail.
 * The exchange puts the framed response into the connection's output; the connection reports when the last byte was
 * sent or the client has disconnected.
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

/** The connection as its exchanges use it. */
export interface Carrier extends BodySource, Sender {
  /**
   * Whether another request can follow. `isWhole`: the response is complete, so the rest of the body will not be read.
   */
  mayPersist(isWhole: boolean): boolean;
  /** The Keep-Alive lines of a response that keeps the connection; '' for none. */
  readonly keepAliveField: string;
  /** Sends the output, at the latest when the current events have been handled. */
  flushSoon(): void;
  /** All bytes of the response are in the output. */
  responseDone(exchange: Exchange): void;
  /** Ends an incomplete response so that the client notices. */
  cut(exchange: Exchange, how: 'end' | 'reset'): void;
  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void;
  /** Converts the connection to a socket that belongs to the application. */
  takeSocket(exchange: Exchange): Socket;
}

export class Exchange implements InputOwner, NamedRequest {
  /** As received: an application that changes the environment must not affect framing. */
  readonly method: string;
  readonly target: string;
  readonly version: Version;
  readonly env: Environ;
  readonly input: RequestInput;
  /** The client, as trusted proxies report it. */
  readonly peer: PeerFacts;
  readonly startedMs = performance.now();
  /**
   * Whether the connection may serve another request after this one, according to the client's header and the response.
   */
  keepAlive: boolean;
  /** The end of this response in the connection's output. */
  endOffset = Infinity;
  readonly #context: LoopContext;
  readonly #carrier: Carrier;
  readonly #output: Output;
  readonly #startOffset: number;
  #state: ResponseState = 'waiting';
  #hasFailed = false;
  /** Whether the client can see that the response is incomplete. */
  #isCut = false;
  #head: AppHead | undefined;
  /** The start of the body in the connection's output; -1 until the head was sent. */
  #bodyOffset = -1;
  /** Present for a response that is sent in pieces. */
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
  /** Whether the deadline has passed, so that further output of the application is dropped. */
  get isExpired(): boolean {
    return this.#state === 'expired';
  }
  get isOver(): boolean {
    return this.#state === 'over';
  }
  /**
   * Whether the application's work is awaited. A complete response, or one that the server sent at the deadline, only
   * waits for the client.
   */
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
  /** Whether further pieces of the body would be sent; false for HEAD, and beyond Content-Length. */
  get wantsMore(): boolean {
    return this.#state === 'started' || (this.#state === 'streaming' && this.#body!.wantsMore);
  }
  get #takesBody(): boolean {
    return this.#state === 'started' || this.#state === 'streaming';
  }

  // ---- the response, driven by an interface

  /** Sets status and headers; sends nothing yet. @throws {EvyError} APP_BAD_STATUS, APP_BAD_HEADER */
  start(status: string, headers: ReadonlyArray<readonly [string, string]>): void {
    const head = checkHead(status, headers, this.#context.settings.capitalizeResponseHeaders);
    if (this.#state === 'over' || this.#state === 'taken' || this.#state === 'expired') return;
    this.#state = nextResponseState.start(this.#state);
    this.#head = head;
  }

  /** Sends a complete body. */
  respond(chunks: readonly Chunk[]): void {
    if (this.#state === 'started') {
      const length = totalLength(chunks);
      if (this.#sendWhole(chunks, length)) return;
      this.#sendHead(length, true);
    } else if (this.#state !== 'streaming') return;
    for (const chunk of chunks) this.#body!.put(chunk);
    this.end();
  }

  /** Sends a piece of the body, and the head before the first piece. */
  send(chunk: Chunk): void {
    if (!this.#takesBody || chunk.length === 0) return;
    if (this.#state === 'started') this.#sendHead(undefined, false);
    this.#body!.send(chunk);
    this.#carrier.flushSoon();
  }

  /** Sends only the head; the length of a body that HEAD does not ask for is unknown. */
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

  /** Sends the usual response at once, with precomputed framing. Returns false for any other response. */
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

  /** The application threw, or violated its interface. */
  fail(thrown: unknown, hint?: (error: Error) => string | undefined): void {
    const failure = describeFailure(thrown);
    const { log } = this.#context;
    if (this.isOver || this.isExpired) {
      // The client has disconnected, or has its response, so a later failure is only logged for debugging.
      log.debug('app.failed', { request: this.summary, ...this.names, error: failure.error.message });
      return;
    }
    if (failure.isClients) {
      // A fault of the body has been logged already.
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

  /**
   * The option requestTimeout: responds with 504 if nothing was sent; otherwise cuts the response so that the client
   * notices.
   */
  timeOut(error: EvyError): void {
    const hasBegun = this.#state === 'streaming';
    this.#state = nextResponseState.expire(this.#state);
    // The application is told first: it should stop, and its hooks find the signal aborted.
    this.#cancel(error);
    this.input.fail(error);
    if (hasBegun) this.#cutShort();
    else this.#answerInstead(describeFailure(error));
  }

  /**
   * The rest of the body is refused: the application learns it from its reads and its signal, and its response is the
   * last one.
   */
  refuseBody(error: EvyError): void {
    this.input.fail(error);
    (this.#cancellation ??= new Cancellation()).announce(error);
  }

  /** Bytes of the application were lost before they were sent. */
  spoil(): void {
    if (this.isOver) return;
    this.#hasFailed = true;
    this.#isCut = true;
    this.#logFailure('APP_BAD_BODY', {
      error: 'the ArrayBuffer of a piece of the body was transferred or resized before the piece was sent',
    });
  }

  /** Responds on behalf of the application. */
  #answerInstead(failure: Failure): void {
    const { status, text } = failureResponse(failure, this.#context.settings.debug);
    this.#head = checkHead(status, [['Content-Type', 'text/plain; charset=utf-8']], true);
    this.#sendWhole([text], totalLength([text]));
  }

  /** Ends the response so that the client sees that it is incomplete. */
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

  /** The last byte was sent, or no more can be sent. */
  settle(outcome: Outcome): void {
    if (this.#state === 'over') return;
    // This comes first, while the state still tells the reason.
    const report = this.account(outcome);
    this.#state = nextResponseState.settle(this.#state);
    this.#setOptional('evy.response', report);
    if (!report.completed) {
      const code = this.#isCut ? 'APP_FAILED' : outcome === 'client-gone' ? 'CLIENT_GONE' : 'REQUEST_CUT';
      this.#cancel(new EvyError(code, 'the response cannot be delivered'));
    }
    this.#runHooks();
  }

  /** Makes `env['evy.response']` of a response with this outcome, and reports it to `ledger`. */
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

  /** A header of the application, by its lower-case name, once the head was sent. For the access log. */
  responseHeader(name: string): string | undefined {
    return this.#bodyOffset < 0 ? undefined : headerIn(this.#head!.lines, name);
  }

  /** The application is done: hooks that it added after the end of the response run now. */
  finished(): void {
    if (this.isOver) this.#runHooks();
  }

  #runHooks(): void {
    const hooks = this.env['evy.posthooks'];
    // Applications may change this value.
    if (!Array.isArray(hooks) || hooks.length === this.#hooksRun) return;
    const from = this.#hooksRun;
    const pending = runPostHooks(this.env, from, this.#context.log, this);
    this.#hooksRun = hooks.length;
    for (const promise of pending) this.#context.track(promise);
  }

  /** Delays the end of the process until this promise is settled, within the grace time; a rejection is logged. */
  waitUntil(promise: Promise<unknown>): void {
    const failed = hookFailure(this.#context.log, this);
    this.#context.track(Promise.resolve(promise).then(() => {}, failed));
  }

  /**
   * Calls back when nothing more can be sent, since the client has disconnected or the response was cut; immediately if
   * that is so already.
   */
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

  /** The id as received, or a new one. */
  get requestId(): string {
    return (this.#requestId ??= makeRequestId());
  }
  /** The names of the request so far, for reports. */
  get names(): RequestNames {
    return { requestId: this.#requestId, traceparent: this.#traceparent };
  }
  get logFields(): RequestNames & { request: string } {
    return { request: this.summary, requestId: this.requestId, traceparent: this.#traceparent };
  }
  /** Method and target, for logs. */
  get summary(): string {
    return `${this.method} ${this.target}`;
  }
  brief(nowMs: number): RequestSummary {
    const { method, target, peer, names, startedMs } = this;
    return briefSummary({ method, target, peer: peer.remoteAddress, ageMs: nowMs - startedMs, ...names });
  }

  /** The body is complete. */
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

  /** Ignores frozen environments: these keys are optional, and an application must not prevent the end of a request. */
  #setOptional(key: 'evy.trailers' | 'evy.response', value: unknown): void {
    try {
      (this.env as Record<string, unknown>)[key] = value;
    } catch {
      // The environment is frozen.
    }
  }
}
