/**
 * One request and its response. The interfaces (wsgi, fetch) drive it: start, send or respond, end, fail; the connection
 * tells it when its last byte has left or the client has.
 */
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Environ, Outcome, ResponseReport } from '../../shared/application.ts';
import { EvyError } from '../../shared/errors.ts';
import { Cancellation } from '../request/cancellation.ts';
import type { Connection } from './connection.ts';
import { makeEnviron } from '../request/environ.ts';
import type { PeerFacts } from '../request/environ.ts';
import { describeFailure } from '../request/failure.ts';
import type { RequestParser } from '../http/request-parser.ts';
import { RequestInput } from '../request/input.ts';
import type { InputSource } from '../request/input.ts';
import type { Output } from './output.ts';
import { hookFailure, runPostHooks } from '../request/posthooks.ts';
import { makeRequestId } from '../request/request-id.ts';
import type { NamedRequest, RequestNames } from '../request/request-id.ts';
import { Response } from './response.ts';
import type { Service } from './service.ts';

export class Exchange extends Response implements InputSource, NamedRequest {
  readonly env: Environ;
  readonly target: string;
  readonly input: RequestInput;
  /** who asks, by what trusted proxies say */
  readonly peer: PeerFacts;
  readonly startedMs = performance.now();
  #requestId: string | undefined;
  #traceparent: string | undefined;
  #hooksRun = 0;
  #cancellation: Cancellation | undefined;

  constructor(service: Service, connection: Connection, output: Output, parser: RequestParser) {
    super(service, connection, output, parser);
    const { line, block } = parser;
    const { framing } = block;
    this.target = line.target;
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

  trailersCame(trailers: NonNullable<Environ['evy.trailers']>): void {
    this.#enter('evy.trailers', trailers);
  }

  /** Calls back when nothing more can be sent: the client is gone, or the response was cut. At once when it is so already. */
  onOver(callback: () => void): void {
    if (this.isOver || this.isExpired) callback();
    else (this.#cancellation ??= new Cancellation()).onAbort(callback);
  }

  /** An application that has frozen its environment goes without. */
  #enter(key: 'evy.trailers' | 'evy.response', value: unknown): void {
    try {
      (this.env as Record<string, unknown>)[key] = value;
    } catch {
      // Nothing that it does may keep a request from its end.
    }
  }

  get signal(): AbortSignal {
    return (this.#cancellation ??= new Cancellation()).signal;
  }

  /** As received, or made now. */
  override get requestId(): string {
    return (this.#requestId ??= makeRequestId());
  }
  /** What the request is called so far, for reports. */
  get names(): RequestNames {
    return { requestId: this.#requestId, traceparent: this.#traceparent };
  }

  /** The application threw, or did what an application must not do. */
  fail(thrown: unknown, hint?: (error: Error) => string | undefined): void {
    const failure = describeFailure(thrown);
    if (this.isOver || this.isExpired) {
      // The client left, or got its answer; what the application says about that is of no interest unless somebody looks for it.
      this.service.log.debug('app.failed', { request: this.summary, ...this.names, error: failure.error.message });
      return;
    }
    if (failure.isClients) {
      // What is wrong with its body was told when it was found.
      if (thrown !== this.input.fault) this.service.refused(failure.code, this.peer.remoteAddress, this);
    } else {
      this.hasFailed = true;
      const { error } = failure;
      this.logFailure(failure.code, { error: error.message, hint: hint?.(error), stack: error.stack });
    }
    if (this.state === 'waiting' || this.state === 'started') {
      if (failure.isClients) this.keepAlive = false;
      this.answer(failure);
    } else if (this.state === 'streaming') this.cutShort();
  }

  /** The option requestTimeout: 504 if nothing was sent, else the response is cut so that the client can see it. */
  timeOut(error: EvyError): void {
    const isBegun = this.state === 'streaming';
    this.step('expire');
    // The application first: it is to stop, and its hooks find the signal aborted.
    this.#cancel(error);
    this.input.fail(error);
    if (isBegun) this.cutShort();
    else this.answer(describeFailure(error));
  }

  /** The rest of its body will not come: whoever reads it learns it, and the response is the last one. */
  refuseBody(error: EvyError): void {
    this.input.fail(error);
    (this.#cancellation ??= new Cancellation()).announce(error);
  }

  #cancel(reason: EvyError): void {
    (this.#cancellation ??= new Cancellation()).abort(reason);
  }

  /** The last byte has left, or no further one can. */
  override settle(outcome: Outcome): void {
    if (this.isOver) return;
    // While the state still says how it came to this.
    const report = this.account(outcome);
    this.step('settle');
    this.#enter('evy.response', report);
    if (!report.completed) {
      const code = this.isCut ? 'APP_FAILED' : outcome === 'client-gone' ? 'CLIENT_GONE' : 'REQUEST_CUT';
      this.#cancel(new EvyError(code, 'the response cannot be delivered'));
    }
    this.runHooks();
  }

  /** `env['evy.response']` of a response that ended so, and its access line. */
  account(ended: Outcome, ledger: Pick<Service, 'settled'> = this.service): ResponseReport {
    const durationMs = performance.now() - this.startedMs;
    const completed = ended === 'sent' && !this.isCut;
    const outcome = this.isExpired ? 'timed-out' : this.hasFailed ? 'failed' : ended;
    const { status, bytesSent } = this;
    const report: ResponseReport = { status, bytesSent, completed, outcome, durationMs };
    ledger.settled(this, report, this.bodyBytesSent);
    return report;
  }

  /** The application's work is over: hooks that it pushed after the response had ended run now. */
  finished(): void {
    if (this.isOver) this.runHooks();
  }

  runHooks(): void {
    const hooks = this.env['evy.posthooks'];
    // An application may have put anything there.
    if (!Array.isArray(hooks) || hooks.length === this.#hooksRun) return;
    const from = this.#hooksRun;
    const pending = runPostHooks(this.env, from, this.service.log, this);
    this.#hooksRun = hooks.length;
    for (const promise of pending) this.service.track(promise);
  }

  /** The process does not end before this promise, within the grace time; what it is rejected with is logged. */
  waitUntil(promise: Promise<unknown>): void {
    const failed = hookFailure(this.service.log, this);
    this.service.track(Promise.resolve(promise).then(() => {}, failed));
  }

  get logFields(): RequestNames & { request: string } {
    return { request: this.summary, requestId: this.requestId, traceparent: this.#traceparent };
  }
  /** Method and target, as logs name the request. */
  get summary(): string {
    return `${this.method} ${this.target}`;
  }

  // What the input asks for.
  bodyWanted(): void {
    this.connection.bodyWanted();
  }
  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void {
    if (this.state === 'waiting' || this.state === 'started') this.connection.sendContinue(headers);
  }
  takeSocket(): Socket {
    const socket = this.connection.takeSocket(this);
    this.step('take');
    return socket;
  }

  protected override logFailure(code: string, fields: Readonly<Record<string, unknown>>): void {
    this.service.log.error('app.failed', { code, ...this.logFields, ...fields });
  }
}
