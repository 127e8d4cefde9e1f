/**
 * The reading side of one connection: the parser, its state, and the deadline for the next bytes. The connection
 * decides what is read and when. Requests are handled one at a time, so responses are sent in order and pipelined
 * requests wait in the kernel.
 */
import type { ServerSettings } from '../../shared/options/table.ts';
import { RequestParser } from '../http/request-parser.ts';
import { nextReadingState } from './connection-states.ts';
import type { ReadingState } from './connection-states.ts';
import { BodyDeadline } from './deadlines.ts';
import type { Deadlines } from './deadlines.ts';

/** Bytes of pipelined requests that are read ahead; the rest waits in the kernel. */
const readAheadBytes = 65_536;

export class RequestReading {
  readonly parser: RequestParser;
  readonly #settings: ServerSettings;
  readonly #deadlines: Deadlines;
  #state: ReadingState = 'head';
  #discardedBytes = 0;
  /** Created at the connection's first body. */
  #bodyDeadline: BodyDeadline | undefined;

  constructor(settings: ServerSettings, deadlines: Deadlines) {
    this.parser = new RequestParser(settings);
    this.#settings = settings;
    this.#deadlines = deadlines;
    deadlines.expect('idle', this.#idleLimitMs);
  }

  get state(): ReadingState {
    return this.#state;
  }
  /** Whether no byte of a request has been received. */
  get isBetween(): boolean {
    return this.isAtStart && this.parser.buffered === 0;
  }
  /** Whether no byte of a request was consumed; received bytes may wait. */
  get isAtStart(): boolean {
    return this.#state === 'head' && !this.parser.isMidHead;
  }
  /** How long it has waited for a request, to about half a second. Valid only while it waits for one. */
  get idleMs(): number {
    return this.#deadlines.waitedMs(this.#idleLimitMs);
  }
  get #idleLimitMs(): number {
    return this.#settings.keepaliveMs || this.#settings.headTimeoutMs;
  }
  /** Whether as much was received as is read ahead. */
  get isFull(): boolean {
    return this.parser.buffered > readAheadBytes;
  }
  /** Whether the rest of the body is too large to be discarded to keep the connection. */
  get isTooLongToDiscard(): boolean {
    return this.parser.block.framing.body === 'length' && this.parser.bodyBytesLeft > this.#settings.maxDiscardBytes;
  }

  /** `isLent`: the buffer is reused after the current call, so kept bytes must be copied. */
  push(bytes: Buffer, length: number, isLent: boolean): void {
    if (this.#state === 'body') this.#bodyDeadline!.received(length);
    this.parser.push(bytes, length, isLent);
  }

  /** The parser has the head of another request. */
  begin(): void {
    const hasBody = this.parser.block.framing.body !== 'none';
    this.#state = nextReadingState[hasBody ? 'request-with-body' : 'request'](this.#state);
    this.#discardedBytes = 0;
    if (hasBody) (this.#bodyDeadline ??= new BodyDeadline(this.#deadlines, this.#settings)).begin();
  }

  /** Drops a piece of an unread body. Returns false when too many bytes were dropped. */
  discard(): boolean {
    this.#discardedBytes += this.parser.data.length;
    return this.#discardedBytes <= this.#settings.maxDiscardBytes;
  }

  endBody(): void {
    this.#state = nextReadingState['body-end'](this.#state);
  }

  /** The request was answered and its body is complete: the next one may begin. */
  next(): void {
    this.#state = nextReadingState.response(this.#state);
    this.parser.forget();
  }

  /** No further request will be read. */
  stop(): void {
    this.#state = nextReadingState.stop(this.#state);
  }

  /** Why the deadline of a body has passed. */
  get bodyFault(): 'BODY_TOO_SLOW' | 'BODY_TIMEOUT' {
    return this.#bodyDeadline!.fault;
  }

  /** Sets the deadline for the next bytes. `isClientsTurn`: whether the client must send the next piece of a body. */
  expectBytes(isClientsTurn: boolean): void {
    if (this.#state === 'body') this.#bodyDeadline!.expect(isClientsTurn);
    else if (this.#state === 'held' || this.parser.buffered > 0) this.#deadlines.expectNothing();
    else if (!this.parser.isMidHead) this.#deadlines.expect('idle', this.#idleLimitMs);
    else if (this.#deadlines.wait !== 'head') this.#deadlines.expect('head', this.#settings.headTimeoutMs);
  }
}
