/**
 * The response to one request: start, then send or respond, then end. It goes to the connection's output, framed; what an
 * application does wrong with it ends here, with a code.
 */
import type { Chunk, Outcome } from '../../shared/application.ts';
import { headerIn } from '../access-log/record.ts';
import type { Connection } from './connection.ts';
import { failureResponse } from '../request/failure.ts';
import type { Failure } from '../request/failure.ts';
import { checkHead, encodeHead } from '../http/response-head.ts';
import type { AppHead, BodyFraming } from '../http/response-head.ts';
import type { Version } from '../http/request-line.ts';
import type { RequestParser } from '../http/request-parser.ts';
import type { Output } from './output.ts';
import { putChunk, ResponseBody, totalLength } from './response-body.ts';
import type { Service } from './service.ts';
import { nextResponseState } from './connection-states.ts';
import type { ResponseState } from './connection-states.ts';

export abstract class Response {
  /** as the client sent them: what applications do to the environment must not decide about framing */
  readonly method: string;
  readonly version: Version;
  /** whether the connection may serve another request after this one, as the client asked and the head told */
  keepAlive: boolean;
  /** position in the connection's output where this response ends */
  endOffset = Infinity;
  protected readonly service: Service;
  protected readonly connection: Connection;
  protected hasFailed = false;
  /** the client has seen that it is not whole */
  protected isCut = false;
  readonly #output: Output;
  readonly #startOffset: number;
  #state: ResponseState = 'waiting';
  #head: AppHead | undefined;
  /** position in the connection's output where the body starts; -1 until the head was sent */
  #bodyOffset = -1;
  /** of a response that is sent piece by piece */
  #body: ResponseBody | undefined;

  constructor(service: Service, connection: Connection, output: Output, { line, block }: RequestParser) {
    this.service = service;
    this.connection = connection;
    this.#output = output;
    this.#startOffset = output.accepted;
    this.method = line.method;
    this.version = line.version;
    this.keepAlive = block.framing.keepAlive && !(service.http10Only && line.version === 'HTTP/1.1');
  }

  abstract get requestId(): string;
  /** The last byte has left, or no further one can. */
  abstract settle(outcome: Outcome): void;
  protected abstract logFailure(code: string, fields: Readonly<Record<string, unknown>>): void;

  get state(): ResponseState {
    return this.#state;
  }
  /** Its deadline has passed: whatever the application still does goes nowhere. */
  get isExpired(): boolean {
    return this.#state === 'expired';
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
  protected step(input: 'expire' | 'take' | 'settle'): void {
    this.#state = nextResponseState[input](this.#state);
  }

  /** Sets status and headers; nothing is sent yet. @throws {EvyError} APP_BAD_STATUS, APP_BAD_HEADER */
  start(status: string, headers: ReadonlyArray<readonly [string, string]>): void {
    const head = checkHead(status, headers, this.service.settings.capitalizeResponseHeaders);
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
    this.connection.flushSoon();
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
    if (surplusBytes > 0) this.logFailure('APP_LONG_BODY', { surplusBytes });
    if (missingBytes > 0) {
      this.logFailure('APP_SHORT_BODY', { missingBytes });
      this.cutShort();
    } else this.#complete();
  }

  /** A header that the application set, by its name in small letters, once the head was sent. For the access log. */
  responseHeader(name: string): string | undefined {
    return this.#bodyOffset < 0 ? undefined : headerIn(this.#head!.lines, name);
  }

  /** 0 until the head was sent. */
  get status(): number {
    return this.#bodyOffset < 0 ? 0 : this.#head!.status;
  }
  /** Bytes of the body, or of all of it, that have left. */
  get bodyBytesSent(): number {
    return this.#bodyOffset < 0 ? 0 : Math.max(0, this.#sentUpTo - this.#bodyOffset);
  }
  get bytesSent(): number {
    return Math.max(0, this.#sentUpTo - this.#startOffset);
  }
  get #sentUpTo(): number {
    return Math.min(this.#output.sent, this.endOffset);
  }

  /** In the application's stead. */
  protected answer(failure: Failure): void {
    const { status, text } = failureResponse(failure, this.service.settings.debug);
    this.#head = checkHead(status, [['Content-Type', 'text/plain; charset=utf-8']], true);
    this.#sendWhole([text], totalLength([text]));
  }

  /** The usual response in one go: nothing is counted that is known beforehand. False when it is not of that kind. */
  #sendWhole(chunks: readonly Chunk[], length: number): boolean {
    const head = this.#head!;
    if (head.length !== undefined && head.length !== length) return false;
    const framing = this.#putHead(length, true);
    if (framing !== 'none') for (const chunk of chunks) putChunk(this.#output, chunk);
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
      leastChunkBytes: this.service.settings.minimumChunkSize,
    });
    this.#state = nextResponseState.send(this.#state);
  }

  #putHead(knownLength: number | undefined, whole: boolean): BodyFraming {
    const { http10Only } = this.service;
    const { text, framing, keepAlive } = encodeHead(
      this.#head!,
      {
        method: this.method,
        version: this.version,
        http10Only,
        keepAlive: this.keepAlive && this.connection.mayPersist(whole),
        keepAliveField: this.connection.keepAliveField,
      },
      knownLength,
    );
    this.keepAlive = keepAlive;
    const { naming } = this.service;
    this.#output.putText(naming.sends ? naming.addTo(text, this.requestId) : text);
    this.#bodyOffset = this.#output.accepted;
    return framing;
  }

  #complete(): void {
    this.#state = nextResponseState.end(this.#state);
    this.#finish();
  }

  #finish(): void {
    this.endOffset = this.#output.accepted;
    this.connection.responseDone(this);
  }

  /** Bytes that the application gave are gone before they were sent. */
  spoil(): void {
    if (this.isOver) return;
    this.hasFailed = true;
    this.isCut = true;
    this.logFailure('APP_BAD_BODY', {
      error: 'the ArrayBuffer of a piece of the body was transferred or resized before the piece was sent',
    });
  }

  /** The client must see that the response is not whole. */
  protected cutShort(): void {
    this.hasFailed = true;
    this.isCut = true;
    this.#state = nextResponseState.end(this.#state);
    this.connection.cut(this, this.#body!.framing === 'close' ? 'reset' : 'end');
  }
}
