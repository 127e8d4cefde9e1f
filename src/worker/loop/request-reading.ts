/**
 * The reading side of a connection: takes events from the parser as long as they can be acted upon.
 *
 * Requests are taken one at a time: the next head is parsed when the response before it has been handed to the output,
 * so answers leave in order whatever the pipelining, and what waits does so in the kernel rather than here.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import type { Transport } from '../../shared/node-private/node-private.ts';
import type { ServerSettings } from '../../shared/options/table.ts';
import { BodyDeadline } from '../request/body-deadline.ts';
import type { ReadingOwner } from './reading-owner.ts';
import { nextReadingState } from './connection-states.ts';
import type { ReadingState } from './connection-states.ts';
import type { Deadlines } from './deadlines.ts';
import { RequestParser } from '../http/request-parser.ts';
import type { RequestEvent } from '../http/request-parser.ts';

/** what is read ahead of pipelined requests; the rest waits in the kernel */
const readAheadBytes = 65_536;

export class RequestReading {
  readonly parser: RequestParser;
  readonly #transport: Transport;
  readonly #settings: ServerSettings;
  readonly #deadlines: Deadlines;
  readonly #owner: ReadingOwner;
  #state: ReadingState = 'head';
  #discarded = 0;
  /** made at the connection's first body */
  #bodyDeadline: BodyDeadline | undefined;
  #pumping = false;
  /** the bytes at hand must not be kept */
  #copies = false;

  constructor(transport: Transport, settings: ServerSettings, deadlines: Deadlines, owner: ReadingOwner) {
    this.parser = new RequestParser(settings);
    this.#transport = transport;
    this.#settings = settings;
    this.#deadlines = deadlines;
    this.#owner = owner;
    this.expectRequest();
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }
  /** Events are being taken right now: output gathers until that is done. */
  get isPumping(): boolean {
    return this.#pumping;
  }
  /** No byte of a request is here. */
  get isBetween(): boolean {
    return this.isAtStart && this.parser.buffered === 0;
  }
  /** No byte of a request was consumed, though some may be here. */
  get isAtStart(): boolean {
    return this.#state === 'head' && !this.parser.isMidHead;
  }
  /** How long it has been waiting for a request, to about half a second; only while it is. */
  get idleMs(): number {
    return this.#deadlines.waitedMs(this.#idleLimitMs);
  }
  get #idleLimitMs(): number {
    const { keepaliveMs, headTimeoutMs } = this.#settings;
    return keepaliveMs || headTimeoutMs;
  }
  /** The client has shut down its side, and nothing that it sent before is left. */
  get #isExhausted(): boolean {
    return this.#transport.hasEnded && this.parser.buffered === 0;
  }

  /** Whether another request can follow this one. `whole`: its response is there as a whole, so nobody reads on. */
  mayContinue(whole: boolean): boolean {
    if (this.#state === 'over' || this.#isExhausted) return false;
    if (this.#state !== 'body') return true;
    // A client that waits for 100 Continue may send its body or not; one with a long body would only be throttled.
    const isLong =
      this.parser.block.framing.body === 'length' && this.parser.bodyBytesLeft > this.#settings.maxDiscardBytes;
    return this.#owner.input?.owesContinue !== true && !(whole && isLong);
  }

  /** As `push`, with a buffer that is somebody else's after the call: what is kept is copied. */
  pushShared(buffer: Buffer, length: number): void {
    this.#copies = true;
    this.push(buffer, length);
    this.#copies = false;
    this.parser.own();
  }

  push(bytes: Buffer, length = bytes.length): void {
    if (this.#state === 'over') return;
    if (this.#state === 'body') this.#bodyDeadline!.received(length);
    this.parser.push(bytes, length);
    this.pump();
    if (this.parser.buffered > readAheadBytes || (this.#state === 'body' && !this.#hasRoom)) this.#transport.pause();
  }

  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    do {
      this.#takeEvents();
      // Answers gather while events are taken and leave together; what has left may make room for further requests.
      this.#owner.pumped();
    } while (this.#isHeldBack);
    this.#pumping = false;
    if (this.#state !== 'over') this.#afterPump();
  }

  /** Output has left: requests that were held back for its sake may begin. */
  goOn(): void {
    if (this.#isHeldBack) this.pump();
  }

  /** Requests are here that could begin. */
  get #isHeldBack(): boolean {
    return this.#state === 'head' && this.parser.buffered > 0 && this.#owner.mayBegin;
  }

  #takeEvents(): void {
    while ((this.#state === 'head' && this.#owner.mayBegin) || (this.#state === 'body' && this.#hasRoom)) {
      const event = this.parser.next();
      if (event === 'head') {
        const fault = this.#owner.headFault();
        if (fault !== undefined) {
          this.refuse(fault);
          return;
        }
        this.#begin();
        // What came of its body together with the head is there before the application asks for it.
        this.#takeBody();
        this.#owner.call();
      } else if (!this.#take(event)) return;
    }
  }

  #takeBody(): void {
    while (this.#state === 'body' && this.#hasRoom) if (!this.#take(this.parser.next())) return;
  }

  /** Acts upon an event within a body; false when there is nothing more to take. */
  #take(event: RequestEvent): boolean {
    if (event === 'data') this.#deliver();
    else if (event === 'end') this.#endBody();
    else if (event === 'refused') this.refuse(this.parser.fault);
    else return false;
    return true;
  }

  bodyWanted(): void {
    if (this.#state === 'body') this.pump();
  }

  /** The response is complete: the next request may come, once the body of this one has. */
  responseDone(): void {
    if (this.#state === 'held') this.#next();
  }

  /** No further request will be read. */
  stop(): void {
    this.#state = nextReadingState.stop(this.#state);
  }

  refuse(code: ErrorCode): void {
    this.stop();
    this.#owner.refused(code);
  }

  bodyTimedOut(): void {
    this.refuse(this.#bodyDeadline!.fault);
  }

  expectRequest(): void {
    this.#deadlines.expect('idle', this.#idleLimitMs);
  }

  /** An application that does not read is slow, not the client; and one that waits for 100 Continue does as it should. */
  get #isClientsTurn(): boolean {
    return this.#hasRoom && !(this.#owner.isAnswering && this.#owner.input?.owesContinue === true);
  }

  get #hasRoom(): boolean {
    return !this.#owner.isAnswering || this.#owner.input?.hasRoom !== false;
  }

  #begin(): void {
    const hasBody = this.parser.block.framing.body !== 'none';
    this.#state = nextReadingState[hasBody ? 'request-with-body' : 'request'](this.#state);
    this.#discarded = 0;
    if (hasBody) (this.#bodyDeadline ??= new BodyDeadline(this.#deadlines, this.#settings)).begin();
    this.#owner.begin();
  }

  #deliver(): void {
    if (this.#owner.isAnswering) {
      const { data } = this.parser;
      this.#owner.input?.deliver(this.#copies ? Buffer.from(data) : data);
      return;
    }
    this.#discarded += this.parser.data.length;
    if (this.#discarded > this.#settings.maxDiscardBytes) this.#owner.tooMuchToDiscard();
  }

  #endBody(): void {
    this.#state = nextReadingState['body-end'](this.#state);
    this.#owner.bodyEnded();
    if (!this.#owner.isAnswering) this.#next();
  }

  #next(): void {
    this.#state = nextReadingState.response(this.#state);
    this.#owner.requestEnded();
    this.parser.forget();
  }

  #afterPump(): void {
    if (this.#isExhausted && this.#state !== 'held') {
      const fault = this.parser.finish();
      if (fault === undefined) this.#owner.inputEnded();
      else this.refuse(fault);
      return;
    }
    this.#expectBytes();
    const hasRoom = this.#state === 'body' ? this.#hasRoom : this.parser.buffered <= readAheadBytes;
    if (hasRoom && this.#transport.isPaused) this.#transport.resume();
  }

  #expectBytes(): void {
    const { headTimeoutMs } = this.#settings;
    if (this.#state === 'body') this.#bodyDeadline!.expect(this.#isClientsTurn);
    else if (this.#state === 'held' || this.parser.buffered > 0) this.#deadlines.expectNothing();
    else if (!this.parser.isMidHead) this.expectRequest();
    else if (this.#deadlines.wait !== 'head') this.#deadlines.expect('head', headTimeoutMs);
  }
}
