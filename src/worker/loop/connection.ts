/**
 * One client connection: its requests, its responses in order, and whether it persists, moves to another process or
 * ends. The states of reading and writing are in connection-states.ts; whether the connection is idle, active or
 * closing is derived from them.
 */
import type { Socket } from 'node:net';
import type { Outcome } from '../../shared/application.ts';
import { EvyError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { Transport, TransportOwner } from '../../shared/node-private/node-private.ts';
import type { RequestEvent } from '../http/request-parser.ts';
import { continueResponse, keepAliveField } from '../http/response-head.ts';
import { detachConnection } from '../migration/mover.ts';
import type { DetachedConnection, Movable } from '../migration/mover.ts';
import type { Forwarding } from '../proxies/forwarding.ts';
import { refusalText, refusedSender } from '../request/refusal.ts';
import type { Expiring } from '../transport/clock.ts';
import type { IdleConnection } from '../transport/idle.ts';
import { Linger, lingerMs } from '../transport/linger.ts';
import type { PeerFacts } from '../transport/peer.ts';
import { nextWritingState } from './connection-states.ts';
import type { WritingState } from './connection-states.ts';
import type { LoopContext } from './context.ts';
import { Deadlines } from './deadlines.ts';
import { Exchange } from './exchange.ts';
import type { Carrier, Handler } from './exchange.ts';
import { Output, UnsettledResponses } from './output.ts';
import type { CompleteResponse, OutputOwner } from './output.ts';
import { RequestReading } from './request-reading.ts';

/** The set that a connection belongs to. */
export interface ConnectionKeeper {
  readonly handler: Handler;
  /** The connection is no longer served. */
  closed(connection: Connection): void;
  /** Serves a connection again: `rest` was received but not consumed, and it has had `requests` requests. */
  resume(transport: Transport, peer: PeerFacts, rest: Buffer, requests: number): void;
}

export class Connection implements TransportOwner, OutputOwner, Expiring, Movable, IdleConnection, Carrier {
  /** The addresses of client and server that applications see. */
  readonly peer: PeerFacts;
  /** Undefined for a peer that is not trusted. */
  readonly forwarding: Forwarding | undefined;
  readonly transport: Transport;
  readonly #context: LoopContext;
  readonly #keeper: ConnectionKeeper;
  readonly #output: Output;
  readonly #deadlines: Deadlines;
  readonly #reading: RequestReading;
  readonly #unsettled = new UnsettledResponses();
  #writing: WritingState = 'idle';
  /** The request being answered. */
  exchange: Exchange | undefined;
  /** Whether parser events are being handled; output is gathered until that is done. */
  #isPumping = false;
  /** Whether it cannot move to another process. */
  #isFixed: boolean;
  /** Requests so far. */
  #requests = 0;
  /** Set when the connection starts to close. */
  #linger: Linger | undefined;
  /** The socket, once the application took the connection over. */
  takenSocket: Socket | undefined;

  constructor(context: LoopContext, keeper: ConnectionKeeper, transport: Transport, peer: PeerFacts) {
    this.#context = context;
    this.#keeper = keeper;
    this.transport = transport;
    this.peer = peer;
    this.#output = new Output(transport, this);
    this.#deadlines = new Deadlines(context.clock, context.settings.socketTimeoutMs);
    this.#isFixed = transport.isEncrypted;
    this.forwarding = context.trustedProxies?.connection(peer);
    this.#reading = new RequestReading(context.settings, this.#deadlines);
    transport.setOwner(this);
  }

  /** Whether no request is being read or answered. */
  get isIdle(): boolean {
    return this.#writing === 'idle' && this.#reading.isBetween;
  }
  /** Whether a response is in progress, whose application may read the body. */
  get #isAnswering(): boolean {
    return this.#writing === 'open';
  }

  // ---- what the transport, the output and the clock report

  receive(buffer: Buffer, length: number): void {
    this.#push(buffer, length, true);
    this.#reading.parser.own();
  }

  ended(): void {
    if (this.#reading.state !== 'over') this.#pump();
    else if (this.#writing === 'closing') this.#output.flush();
  }

  written(): void {
    this.#output.written();
  }

  closed(): void {
    this.#settleAll('client-gone');
    this.#leave();
  }

  progressed(): void {
    this.#deadlines.written();
    this.#unsettled.settleUpTo(this.#output.sent);
    // While output is pending, the client must read it.
    if (!this.#output.isEmpty) this.#deadlines.expectWrite();
    else if (this.#deadlines.wait === 'linger') this.#deadlines.expect('linger', lingerMs);
    if (this.#context.mover !== undefined && this.offer()) return;
    if (this.#isHeldBack) this.#pump();
  }

  /** Deferred, so that responses already sent settle first and flush() never sees the connection vanish. */
  spoiled(): void {
    this.#reading.stop();
    queueMicrotask(() => {
      const oldest: CompleteResponse | undefined = this.#unsettled.oldest ?? this.exchange;
      oldest?.spoil();
      this.#settleAll('cut');
      if (this.takenSocket !== undefined) this.takenSocket.destroy();
      else if (!this.transport.isDestroyed) this.transport.reset();
    });
  }

  get readDeadlineMs(): number {
    return this.#deadlines.readDeadlineMs;
  }
  get writeDeadlineMs(): number {
    return this.#deadlines.writeDeadlineMs;
  }

  expire(which: 'read' | 'write'): void {
    const wait = which === 'write' ? 'write' : this.#deadlines.wait;
    switch (wait) {
      case 'write':
        this.#context.connectionCut(this.peer.remoteAddress);
        this.destroy();
        break;
      case 'idle':
        this.close();
        break;
      case 'head':
        this.#refuse('HEAD_TIMEOUT');
        break;
      case 'body':
        this.#refuse(this.#reading.bodyFault);
        break;
      case 'linger':
        if (!this.#output.isEmpty) break;
        if (!this.#linger!.goesOn(this.#deadlines.nowMs, this.transport.bytesRead)) this.transport.destroy();
        else this.#deadlines.expect('linger', lingerMs);
        break;
      case 'none':
        break;
      default:
        wait satisfies never;
    }
  }

  // ---- reading requests

  #push(bytes: Buffer, length: number, isLent: boolean): void {
    const reading = this.#reading;
    if (reading.state === 'over') return;
    reading.push(bytes, length, isLent);
    this.#pump();
    if (reading.isFull || (reading.state === 'body' && !this.#hasRoom)) this.transport.pause();
  }

  /** Handles parser events while possible. Responses are gathered meanwhile and sent together. */
  #pump(): void {
    if (this.#isPumping) return;
    this.#isPumping = true;
    do {
      this.#takeEvents();
      this.#flush();
      if (this.#context.closesIdle && this.isIdle) this.close();
      else if (this.#context.mover !== undefined) this.offer();
      // Sent output may make room for further requests.
    } while (this.#isHeldBack);
    this.#isPumping = false;
    if (this.#reading.state !== 'over') this.#afterPump();
  }

  #takeEvents(): void {
    const reading = this.#reading;
    while ((reading.state === 'head' && this.#mayBegin) || (reading.state === 'body' && this.#hasRoom)) {
      const event = reading.parser.next();
      if (event === 'head') {
        const { line, block } = reading.parser;
        const fault = this.#context.admission.faultOf(line, block, this);
        if (fault !== undefined) {
          this.#refuse(fault);
          return;
        }
        const exchange = this.#begin();
        // Body bytes that arrived with the head are delivered before the application reads.
        while (reading.state === 'body' && this.#hasRoom) if (!this.#takeBodyEvent(reading.parser.next())) break;
        this.#keeper.handler(exchange);
      } else if (!this.#takeBodyEvent(event)) return;
    }
  }

  /** Handles an event within a body. Returns false when there is nothing more to handle. */
  #takeBodyEvent(event: RequestEvent): boolean {
    if (event === 'data') this.#deliver();
    else if (event === 'end') this.#endBody();
    else if (event === 'refused') this.#refuse(this.#reading.parser.fault);
    else return false;
    return true;
  }

  /** Whether another request may begin: the client reads responses fast enough. */
  get #mayBegin(): boolean {
    const { mover, settings } = this.#context;
    if (this.#output.isFull || this.#unsettled.count >= settings.pipelineDepth) return false;
    // A connection that is about to move keeps its next request for its new process.
    return !(mover?.hasRoom === true && this.#mayMove);
  }

  /** Whether received requests could begin now. */
  get #isHeldBack(): boolean {
    const reading = this.#reading;
    return reading.state === 'head' && reading.parser.buffered > 0 && this.#mayBegin;
  }

  get #hasRoom(): boolean {
    return !this.#isAnswering || this.exchange?.input.hasRoom !== false;
  }

  #begin(): Exchange {
    this.#reading.begin();
    this.#writing = nextWritingState.request(this.#writing);
    const exchange = new Exchange(this.#context, this, this.#output, this.#reading.parser);
    this.exchange = exchange;
    this.#requests += 1;
    this.#context.requestBegun();
    return exchange;
  }

  #deliver(): void {
    if (this.#isAnswering) {
      const { data, isLent } = this.#reading.parser;
      this.exchange?.input.deliver(isLent ? Buffer.from(data) : data);
    } else if (!this.#reading.discard()) this.close();
  }

  #endBody(): void {
    this.#reading.endBody();
    this.exchange?.bodyEnded(this.#reading.parser.trailers);
    if (!this.#isAnswering) this.#nextRequest();
  }

  #nextRequest(): void {
    this.exchange = undefined;
    this.#reading.next();
  }

  #afterPump(): void {
    const reading = this.#reading;
    if (this.#isExhausted && reading.state !== 'held') {
      const fault = reading.parser.finish();
      if (fault !== undefined) this.#refuse(fault);
      else if (this.#writing === 'idle') this.close();
      return;
    }
    const hasRoom = reading.state === 'body' ? this.#hasRoom : !reading.isFull;
    // The client is not slow while the application does not read, nor while it waits for 100 Continue.
    reading.expectBytes(hasRoom && !(this.#isAnswering && this.exchange?.input.owesContinue === true));
    if (hasRoom && this.transport.isPaused) this.transport.resume();
  }

  /** Whether the client has shut down its side, and all its bytes are consumed. */
  get #isExhausted(): boolean {
    return this.transport.hasEnded && this.#reading.parser.buffered === 0;
  }

  #refuse(code: ErrorCode): void {
    const exchange = this.exchange;
    const { parser } = this.#reading;
    const context = this.#context;
    this.#reading.stop();
    if (exchange !== undefined && this.#isAnswering) {
      exchange.refuseBody(new EvyError(code, `the request body was refused (${code})`));
      context.refused(code, exchange.peer.remoteAddress, exchange);
      return;
    }
    const sender = refusedSender(code, this, parser, context.naming);
    context.refused(code, sender.peer.remoteAddress, exchange ?? sender);
    // A request that was answered before its body was complete has had its response.
    if (exchange === undefined) {
      const response = refusalText(code, parser.line.method, context.http10Only);
      this.#output.putText(response);
      context.refusalSent(code, sender, parser.line, response);
    }
    this.close();
  }

  // ---- what an exchange asks for

  bodyWanted(): void {
    if (this.#reading.state === 'body') this.#pump();
  }

  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void {
    if (!this.#isAnswering || this.#context.http10Only) return;
    this.#output.putText(continueResponse(headers));
    this.#output.flush();
    this.bodyWanted();
  }

  mayPersist(isWhole: boolean): boolean {
    const { isDraining, mover, settings } = this.#context;
    if (isDraining && (this.#isFixed || mover?.expects(this.transport) !== true)) return false;
    const { keepaliveMs, maxRequestsPerConnection: most } = settings;
    if (keepaliveMs === 0 || (most > 0 && this.#requests >= most)) return false;
    const reading = this.#reading;
    if (reading.state === 'over' || this.#isExhausted) return false;
    if (reading.state !== 'body') return true;
    // It is unknown whether a client that waits for 100 Continue sends its body; discarding a long body takes too long.
    return this.exchange?.input.owesContinue !== true && !(isWhole && reading.isTooLongToDiscard);
  }

  get keepAliveField(): string {
    const { settings } = this.#context;
    return settings.keepAliveHeader ? keepAliveField(settings, this.#requests) : '';
  }

  flushSoon(): void {
    if (!this.#isPumping) this.#flush();
  }

  responseDone(exchange: Exchange): void {
    const reading = this.#reading;
    this.#unsettled.push(exchange);
    this.#writing = nextWritingState.response(this.#writing);
    this.#context.responseDone();
    if (!exchange.keepAlive || reading.state === 'over') this.close();
    else if (reading.state === 'held') this.#nextRequest();
    if (this.#isPumping) return;
    if (reading.state === 'over') this.#output.flush();
    else this.#pump();
    // Everything may have been sent before the end was known; then no progress is reported.
    this.#unsettled.settleUpTo(this.#output.sent);
  }

  cut(exchange: Exchange, how: 'end' | 'reset'): void {
    this.#context.responseDone();
    this.#unsettled.push(exchange);
    exchange.endOffset = this.#output.accepted;
    if (how === 'end') {
      this.close();
      this.#unsettled.settleUpTo(this.#output.sent);
      return;
    }
    // A FIN would tell the client that the response is complete.
    this.#reading.stop();
    this.#writing = nextWritingState.close(this.#writing);
    this.transport.reset();
  }

  /** The socket first delivers the unconsumed bytes. The exchange is settled when the socket closes. */
  takeSocket(exchange: Exchange): Socket {
    if (this.exchange !== exchange || !this.#isAnswering || exchange.state !== 'waiting') {
      throw new EvyError('APP_FAILED', 'takeSocket() must be called once, before anything is sent');
    }
    this.#context.responseDone();
    this.#reading.stop();
    this.#writing = nextWritingState.close(this.#writing);
    this.#deadlines.expectNothing();
    // Earlier responses come first.
    this.#output.flush();
    const socket = this.transport.intoSocket(Buffer.from(this.#reading.parser.takeRest()));
    this.takenSocket = socket;
    this.#output.moveTo(socket);
    // Deferred until the application has added its listeners.
    if (this.#context.isDraining) process.nextTick(() => this.#context.announceDrain(socket));
    return socket;
  }

  // ---- being idle

  get key(): object {
    return this;
  }
  get hasAsked(): boolean {
    return this.#requests > 0;
  }
  get idleMs(): number {
    return this.#reading.idleMs;
  }
  get bytesRead(): number {
    return this.transport.bytesRead;
  }
  get isStillIdle(): boolean {
    return this.isIdle && this.#output.isEmpty && !this.transport.isDestroyed;
  }

  closeUnannounced(): void {
    this.#context.closedUnannounced += 1;
    this.close();
  }

  giveWay(): void {
    this.closeUnannounced();
    // No bytes of a response are in flight that a reset could destroy.
    setImmediate(() => this.transport.destroy());
  }

  // ---- moving to another process

  /** Only pending output prevents a move. */
  get #mayMove(): boolean {
    if (this.#isFixed || this.#writing !== 'idle' || !this.#reading.isAtStart) return false;
    return this.#context.mover?.mayMove(this.transport) === true;
  }

  /** Moves now if possible, or later in its turn. Returns whether it has left. */
  offer(): boolean {
    return this.#mayMove && this.#output.isEmpty && this.#context.mover!.offer(this);
  }

  detach(): DetachedConnection | undefined {
    if (!this.#mayMove || !this.#output.isEmpty) return undefined;
    const { transport, peer } = this;
    const requests = this.#requests;
    const { parser } = this.#reading;
    const resume = (rest: Buffer): void => this.#keeper.resume(transport, peer, rest, requests);
    const detached = detachConnection({ transport, peer, requests, takeRest: () => parser.takeRest(), resume });
    if (detached !== undefined) this.#leave();
    else {
      // A request that was held back for the move must not wait any longer.
      this.#isFixed = true;
      queueMicrotask(() => this.#pump());
    }
    return detached;
  }

  /** Continues where another process, or an earlier object for this connection, stopped. */
  continueWith(rest: Buffer, requests: number): void {
    this.#requests = requests;
    if (rest.length > 0) this.#push(rest, rest.length, false);
    else this.#pump();
  }

  // ---- ending

  /** Accepts no further request: sends the queued output, then FIN, then waits for the client's end. */
  close(): void {
    if (this.#writing === 'gone') return;
    this.#reading.stop();
    this.#writing = nextWritingState.close(this.#writing);
    this.#reading.parser.takeRest();
    this.#linger ??= new Linger(this.#deadlines.nowMs, this.transport.bytesRead);
    this.#deadlines.expect('linger', lingerMs);
    this.#output.end();
    if (!this.#output.isEmpty) this.#deadlines.expectWrite();
    // Unread bytes in the kernel would turn the FIN into a reset, so they are read and dropped.
    this.transport.resume();
  }

  /** Closes immediately; unsent output is lost. */
  destroy(): void {
    this.#settleAll('cut');
    (this.takenSocket ?? this.transport).destroy();
  }

  #flush(): void {
    this.#output.flush();
    if (!this.#output.isEmpty) this.#deadlines.expectWrite();
  }

  #leave(): void {
    this.#reading.stop();
    this.#writing = nextWritingState.lost(this.#writing);
    this.#output.abandon();
    this.#keeper.closed(this);
  }

  /** Unsettled responses will not be delivered. */
  #settleAll(outcome: Outcome): void {
    this.#unsettled.settleAll(outcome);
    const exchange = this.exchange;
    if (exchange === undefined || exchange.isOver) return;
    // A socket that the application took is not settled here.
    const isOurs = this.#isAnswering;
    if (isOurs) this.#context.responseDone();
    exchange.input.fail(new EvyError('BODY_CUT', 'the client closed the connection'));
    exchange.settle(isOurs ? outcome : 'sent');
  }
}
