/**
 * One request and its response. The interfaces (wsgi, fetch) drive it: start, send or respond, end, fail; the connection
 * tells it when its last byte has left or the client has. What the application does wrong ends here, with a code.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Chunk, Environ, Outcome } from '../shared/application.ts';
import { EvyError, toError } from '../shared/errors.ts';
import { stateMachine } from '../shared/state-machine.ts';
import type { Connection } from './connection.ts';
import { makeEnviron } from './environ.ts';
import { checkHead, encodeHead } from './http/response-head.ts';
import type { AppHead, BodyFraming } from './http/response-head.ts';
import type { RequestParser } from './http/request-parser.ts';
import { RequestInput } from './input.ts';
import type { InputSource } from './input.ts';
import type { Output } from './output.ts';
import { runPostHooks } from './posthooks.ts';
import type { Service } from './service.ts';

/** waiting for the head; head given; head sent; no more bytes will be handed to the connection; socket given away; settled */
export type ResponseState = 'waiting' | 'started' | 'streaming' | 'complete' | 'taken' | 'over';

export const nextResponseState = stateMachine<ResponseState, 'start' | 'send' | 'end' | 'take' | 'settle'>('response', {
  waiting: { start: 'started', take: 'taken', settle: 'over' },
  started: { start: 'started', send: 'streaming', settle: 'over' },
  streaming: { end: 'complete', settle: 'over' },
  complete: { settle: 'over' },
  taken: { settle: 'over' },
  over: {},
});

export class Exchange implements InputSource {
  readonly env: Environ;
  readonly input: RequestInput;
  readonly hasBody: boolean;
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
  #framing: BodyFraming = 'none';
  /** position in the connection's output where the body starts */
  #bodyOffset = 0;
  #surplus = false;
  /** body bytes that Content-Length still promises */
  #left = Infinity;
  #held: Chunk[] = [];
  #heldBytes = 0;
  #failed = false;
  #isCut = false;
  #hooksRun = 0;
  #abort: AbortController | undefined;
  #abortReason: Error | undefined;
  #onOver: Array<() => void> = [];

  constructor(service: Service, connection: Connection, output: Output, parser: RequestParser) {
    this.#service = service;
    this.#connection = connection;
    this.#output = output;
    this.#startOffset = output.accepted;
    const { framing } = parser.block;
    this.keepAlive = framing.keepAlive && !(service.http10Only && parser.line.version === 'HTTP/1.1');
    this.hasBody = framing.body !== 'none';
    this.input = new RequestInput(this, this.hasBody, framing.expectsContinue);
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
    return this.#state === 'started' || (this.#state === 'streaming' && this.#framing !== 'none' && !this.#surplus);
  }
  /** The head was given, and more may follow. */
  get #isOpen(): boolean {
    return this.#state === 'started' || this.#state === 'streaming';
  }
  /** Calls back when nothing more can be sent: the client is gone, or the response was cut. At once when it is so already. */
  onOver(callback: () => void): void {
    if (this.#state === 'over') callback();
    else this.#onOver.push(callback);
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#abortReason !== undefined) this.#abort.abort(this.#abortReason);
    }
    return this.#abort.signal;
  }
  /** Tells the application, through its signal, that the work is in vain. */
  abort(reason: Error): void {
    this.#abortReason = reason;
    this.#abort?.abort(reason);
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
    if (this.#state === 'started') {
      let total = 0;
      for (const chunk of chunks) total += typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.byteLength;
      this.#sendHead(total, true);
    }
    for (const chunk of chunks) this.#put(chunk);
    this.end();
  }

  /** Sends a piece of the body, and the head before the first one. */
  send(chunk: Chunk): void {
    if (!this.#isOpen || chunk.length === 0) return;
    if (this.#state === 'started') this.#sendHead(undefined, false);
    const least = this.#service.settings.minimumChunkSize;
    if (least > 0 && this.#framing === 'chunked') {
      this.#held.push(chunk);
      this.#heldBytes += chunk.length;
      if (this.#heldBytes < least) return;
      chunk = this.#takeHeld();
    }
    this.#put(chunk);
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
    if (this.#heldBytes > 0) this.#put(this.#takeHeld());
    if (this.#framing === 'length' && this.#left > 0) {
      this.#service.log.error('app.failed', { code: 'APP_SHORT_BODY', request: this.summary, missingBytes: this.#left });
      this.#cutShort();
      return;
    }
    if (this.#framing === 'chunked') this.#output.putText('0\r\n\r\n');
    this.#complete();
  }

  /** The application threw, or did what an application must not do. */
  fail(thrown: unknown): void {
    const error = toError(thrown);
    const ours = thrown instanceof EvyError ? thrown : undefined;
    const clientsFault = ours?.status !== undefined && ours.status < 500;
    if (this.#state === 'over') {
      // The client left; what the application says about that is of no interest unless somebody looks for it.
      this.#service.log.debug('app.failed', { request: this.summary, error: error.message });
      return;
    }
    if (clientsFault) this.#service.refused(ours.code, this.#connection.peer.remoteAddress, this.summary);
    else {
      this.#failed = true;
      const { code } = ours ?? { code: 'APP_FAILED' };
      this.#service.log.error('app.failed', { code, request: this.summary, error: error.message, stack: error.stack });
    }
    if (this.#state === 'waiting' || this.#state === 'started') this.#respondToFailure(error, clientsFault ? ours.status! : 500);
    else if (this.#state === 'streaming') this.#cutShort();
  }

  /** The last byte has left, or no further one can. */
  settle(outcome: Outcome): void {
    if (this.#state === 'over') return;
    this.#state = nextResponseState(this.#state, 'settle');
    const durationMs = performance.now() - this.startedMs;
    const bytesSent = Math.max(0, Math.min(this.#output.sent, this.endOffset) - this.#startOffset);
    const completed = outcome === 'sent' && !this.#isCut;
    const hasHead = this.#bodyOffset > 0;
    const status = hasHead ? this.#head!.status : 0;
    const bodyBytes = hasHead ? Math.max(0, Math.min(this.#output.sent, this.endOffset) - this.#bodyOffset) : 0;
    this.env['evy.response'] = { status, bytesSent, completed, outcome: this.#failed ? 'failed' : outcome, durationMs };
    if (!completed) {
      const code = this.#isCut ? 'APP_FAILED' : outcome === 'client-gone' ? 'CLIENT_GONE' : 'WRITE_TIMEOUT';
      this.abort(new EvyError(code, 'the response cannot be delivered'));
      for (const callback of this.#onOver) callback();
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
    const failed = (thrown: unknown) => {
      const { message, stack } = toError(thrown);
      this.#service.log.error('hook.failed', { request: this.summary, error: message, stack });
    };
    this.#service.track(Promise.resolve(promise).then(() => {}, failed));
  }

  /** Method and target, as logs name the request. */
  get summary(): string {
    return `${this.env.REQUEST_METHOD} ${this.env.RAW_URI}`;
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
    const context = {
      method: this.env.REQUEST_METHOD,
      version: this.env.SERVER_PROTOCOL as 'HTTP/1.0' | 'HTTP/1.1',
      http10Only: this.#service.http10Only,
      keepAlive: this.keepAlive && this.#connection.mayPersist(whole),
    };
    const { text, framing, keepAlive } = encodeHead(head, context, knownLength);
    this.#framing = framing;
    this.keepAlive = keepAlive;
    if (framing === 'length') this.#left = head.length ?? knownLength ?? Infinity;
    this.#output.putText(text);
    this.#bodyOffset = this.#output.accepted;
    this.#state = nextResponseState(this.#state, 'send');
  }

  #put(chunk: Chunk): void {
    if (this.#framing === 'none') return;
    const length = typeof chunk === 'string' ? Buffer.byteLength(chunk) : chunk.byteLength;
    if (length === 0) return;
    if (length > this.#left) {
      this.#putCut(chunk, length);
      return;
    }
    this.#left -= length;
    if (this.#framing === 'chunked') this.#output.putText(`${length.toString(16)}\r\n`);
    if (typeof chunk !== 'string') this.#output.putBytes(chunk);
    else if (length === chunk.length) this.#output.putText(chunk);
    else this.#output.putBytes(Buffer.from(chunk));
    if (this.#framing === 'chunked') this.#output.putText('\r\n');
  }

  /** More than Content-Length promised: a client would take the surplus for the next response. */
  #putCut(chunk: Chunk, length: number): void {
    if (!this.#surplus) this.#service.log.error('app.failed', { code: 'APP_LONG_BODY', request: this.summary, surplusBytes: length - this.#left });
    this.#surplus = true;
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#output.putBytes(bytes.subarray(0, this.#left));
    this.#left = 0;
  }

  #takeHeld(): Buffer {
    const whole = Buffer.concat(this.#held.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)));
    this.#held = [];
    this.#heldBytes = 0;
    return whole;
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
    this.#connection.cut(this, this.#framing === 'close' ? 'reset' : 'end');
  }

  #respondToFailure(error: Error, status: number): void {
    const reason = STATUS_CODES[status] ?? 'Error';
    const detail = this.#service.settings.debug ? `\n\n${error.stack ?? error.message}` : '';
    if (status !== 500) this.keepAlive = false;
    this.start(`${status} ${reason}`, [['Content-Type', 'text/plain; charset=utf-8']]);
    this.respond([`${reason}${detail}\n`]);
  }
}
