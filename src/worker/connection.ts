/**
 * One client connection: the thin shell between a socket, the requests read from it and the responses written to it.
 * Reading and writing are a word each (states.ts); whether the connection is idle, active or closing is
 * derived from them.
 */
import type { Socket } from 'node:net';
import type { Outcome } from '../shared/application.ts';
import { EvyError } from '../shared/errors.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { resetNow } from '../shared/node-private.ts';
import { Answered } from './answered.ts';
import { nextWritingState } from './states.ts';
import type { WritingState } from './states.ts';
import { Deadlines } from './deadlines.ts';
import type { Expiring } from './clock.ts';
import type { PeerFacts } from './environ.ts';
import { Exchange } from './exchange.ts';
import type { Response } from './response.ts';
import { keepAliveField } from './http/keep-alive-field.ts';
import { continueResponse } from './http/response-head.ts';
import type { RequestInput } from './input.ts';
import { Linger, lingerMs } from './linger.ts';
import type { Movable, Released } from './migration/mover.ts';
import { withdraw } from './migration/release.ts';
import { Output } from './output.ts';
import type { OutputOwner } from './output.ts';
import { refusalText, refusedSender } from './refusal.ts';
import { RequestReading } from './request-reading.ts';
import type { ReadingOwner } from './reading-owner.ts';
import type { Forwarding } from './proxies/forwarding.ts';
import type { Service } from './service.ts';
import { giveAway, own } from './socket-owner.ts';
import type { SocketOwner } from './socket-owner.ts';

export class Connection implements SocketOwner, ReadingOwner, OutputOwner, Expiring, Movable {
  readonly peer: PeerFacts;
  /** undefined for a peer that is not trusted */
  readonly forwarding: Forwarding | undefined;
  readonly deadlines: Deadlines;
  readonly #service: Service;
  readonly #socket: Socket;
  readonly #reading: RequestReading;
  readonly #output: Output;
  readonly #answered = new Answered();
  #writing: WritingState = 'idle';
  #exchange: Exchange | undefined;
  #isFixed: boolean;
  /** once it is closing */
  #linger: Linger | undefined;
  /** begun so far */
  #requests = 0;

  /** `peer` is whom the client and the server are to applications. */
  constructor(service: Service, socket: Socket, peer: PeerFacts) {
    this.#service = service;
    this.#socket = socket;
    this.#isFixed = 'encrypted' in socket;
    this.peer = peer;
    this.forwarding = service.trustedProxies?.connection(peer);
    this.#output = new Output(socket, this);
    this.deadlines = new Deadlines(service.clock, service.settings.socketTimeoutMs);
    this.#reading = new RequestReading(socket, service.settings, this.deadlines, this);
    own(socket, this);
  }

  /** No request is being read or answered. */
  get isIdle(): boolean {
    return this.#writing === 'idle' && this.#reading.isBetween;
  }
  /** The request being answered, for reports. */
  get exchange(): Exchange | undefined {
    return this.#exchange;
  }
  /** The application took the socket over. */
  get isTaken(): boolean {
    return this.#exchange?.state === 'taken';
  }
  get socket(): Socket {
    return this.#socket;
  }

  // ---- the socket's events

  receive(buffer: Buffer, length: number): void {
    this.#reading.pushShared(buffer, length);
  }

  received(bytes: Buffer): void {
    this.#reading.push(bytes);
  }

  ended(): void {
    if (!this.#reading.isOver) this.#reading.pump();
    else if (this.#writing === 'closing') this.#output.flush();
  }

  closed(): void {
    this.#settleAll('client-gone');
    this.#leave();
  }

  progressed(): void {
    this.deadlines.written();
    this.#answered.settleUpTo(this.#output.sent);
    if (!this.#output.isEmpty) this.deadlines.expectWrite();
    else if (this.deadlines.wait === 'linger') this.deadlines.expect('linger', lingerMs);
    if (this.#service.mover !== undefined && this.offer()) return;
    this.#reading.goOn();
  }

  #leave(): void {
    this.#reading.stop();
    this.#writing = nextWritingState.lost(this.#writing);
    this.#output.release();
    this.#service.closed(this);
  }

  get readDeadlineMs(): number {
    return this.deadlines.readDeadlineMs;
  }
  get writeDeadlineMs(): number {
    return this.deadlines.writeDeadlineMs;
  }

  expire(which: 'read' | 'write'): void {
    const wait = which === 'write' ? 'write' : this.deadlines.wait;
    switch (wait) {
      case 'write':
        this.#service.cut(this.peer.remoteAddress);
        this.destroy();
        break;
      case 'idle':
        this.close();
        break;
      case 'head':
        this.#reading.refuse('HEAD_TIMEOUT');
        break;
      case 'body':
        this.#reading.bodyTimedOut();
        break;
      case 'linger':
        if (this.#output.isEmpty) this.#lingerOn();
        break;
      case 'none':
        break;
      default:
        wait satisfies never;
    }
  }

  // ---- what the reading side asks for

  get isAnswering(): boolean {
    return this.#writing === 'open';
  }
  get input(): RequestInput | undefined {
    return this.#exchange?.input;
  }
  get mayBegin(): boolean {
    // One that is about to move takes its next request along.
    if (this.#output.isFull || this.#answered.count >= this.#service.settings.pipelineDepth) return false;
    return !(this.#service.mover?.hasRoom === true && this.#mayMove);
  }

  headFault(): ErrorCode | undefined {
    const { line, block } = this.#reading.parser;
    return this.#service.admission.faultOf(line, block, this);
  }

  begin(): void {
    this.#writing = nextWritingState.request(this.#writing);
    this.#exchange = new Exchange(this.#service, this, this.#output, this.#reading.parser);
    this.#requests += 1;
    this.#service.begun();
  }

  call(): void {
    this.#service.call(this.#exchange!);
  }

  bodyEnded(): void {
    if (this.#exchange === undefined) return;
    const { trailers } = this.#reading.parser;
    if (trailers !== undefined) this.#exchange.env['evy.trailers'] = trailers;
    this.#exchange.input.finish();
  }

  requestEnded(): void {
    this.#exchange = undefined;
  }

  refused(code: ErrorCode): void {
    const exchange = this.#exchange;
    if (exchange !== undefined && this.isAnswering) {
      // The request is with the application: whoever reads its body learns it, and the response is the last one.
      exchange.input.fail(new EvyError(code, `the request body was refused (${code})`));
      this.#service.refused(code, exchange.peer.remoteAddress, exchange);
      return;
    }
    const { line } = this.#reading.parser;
    const sender = refusedSender(code, this, this.#reading.parser, this.#service.naming);
    this.#service.refused(code, sender.peer.remoteAddress, exchange ?? sender);
    // A request that has been answered, while its body was still coming, has had its one response.
    if (exchange === undefined) {
      const response = refusalText(code, line.method, this.#service.http10Only);
      this.#output.putText(response);
      this.#service.answeredRefusal(code, sender, line, response);
    }
    this.close();
  }

  inputEnded(): void {
    if (this.#writing === 'idle') this.close();
  }

  tooMuchToDiscard(): void {
    this.close();
  }

  pumped(): void {
    this.#flush();
    if (this.#service.closesIdle && this.isIdle) this.close();
    else if (this.#service.mover !== undefined) this.offer();
  }

  // ---- moving to another process

  /** Nothing stands against it but what is still on its way out. */
  get #mayMove(): boolean {
    if (this.#isFixed || this.#writing !== 'idle' || !this.#reading.isAtStart) return false;
    return this.#service.mover?.mayTake(this.#socket) === true;
  }

  /** Moves if it may and there is room, or else later. Whether it is gone. */
  offer(): boolean {
    return this.#mayMove && this.#output.isEmpty && this.#service.mover!.offer(this);
  }

  release(): Released | undefined {
    if (!this.#mayMove || !this.#output.isEmpty) return undefined;
    const released = withdraw({
      socket: this.#socket,
      peer: this.peer,
      requests: this.#requests,
      owner: this,
      takeRest: () => this.#reading.parser.takeRest(),
      resume: (rest) => this.#service.take(this.#socket, this.peer, rest, this.#requests),
    });
    if (released !== undefined) this.#leave();
    else {
      // Whoever held back a request for it must not wait any longer.
      this.#isFixed = true;
      queueMicrotask(() => this.#reading.pump());
    }
    return released;
  }

  /** Goes on where another process, or another part of this one, has left off. */
  continueWith(rest: Buffer, requests: number): void {
    this.#requests = requests;
    if (rest.length > 0) this.#reading.push(rest);
    else this.#reading.pump();
  }

  // ---- what an exchange asks for

  bodyWanted(): void {
    this.#reading.bodyWanted();
  }

  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void {
    if (!this.isAnswering || this.#service.http10Only) return;
    this.#output.putText(continueResponse(headers));
    this.#output.flush();
    // From now on it is the client's turn.
    this.#reading.bodyWanted();
  }

  /** Whether another request can follow. `whole`: the response is there as a whole, so nobody reads on. */
  mayPersist(whole: boolean): boolean {
    const { isDraining, mover, settings } = this.#service;
    if (isDraining && (this.#isFixed || mover?.expects(this.#socket) !== true)) return false;
    const { keepaliveMs, maxRequestsPerConnection: most } = settings;
    if (keepaliveMs === 0 || (most > 0 && this.#requests >= most)) return false;
    return this.#reading.mayContinue(whole);
  }

  /** What a response that keeps the connection says about it; '' is nothing. */
  get keepAliveField(): string {
    const { settings } = this.#service;
    return settings.keepAliveHeader ? keepAliveField(settings, this.#requests) : '';
  }

  flushSoon(): void {
    if (!this.#reading.isPumping) this.#flush();
  }

  responseDone(response: Response): void {
    this.#answered.push(response);
    this.#writing = nextWritingState.response(this.#writing);
    this.#service.answered();
    if (!response.keepAlive || this.#reading.isOver) this.close();
    else this.#reading.responseDone();
    if (this.#reading.isPumping) return;
    if (this.#reading.isOver) this.#output.flush();
    else this.#reading.pump();
    // All of it may have left before its end was known: then no progress will tell.
    this.#answered.settleUpTo(this.#output.sent);
  }

  /** Ends a response that is not whole, so that the client can see it. */
  cut(response: Response, how: 'end' | 'reset'): void {
    this.#service.answered();
    this.#answered.push(response);
    response.endOffset = this.#output.accepted;
    if (how === 'end') {
      this.close();
      this.#answered.settleUpTo(this.#output.sent);
      return;
    }
    this.#reading.stop();
    this.#writing = nextWritingState.close(this.#writing);
    resetNow(this.#socket);
  }

  /** Gives the socket away, with what was read of it. Unsettled until it closes. */
  takeSocket(exchange: Exchange): Socket {
    if (this.#exchange !== exchange || !this.isAnswering || exchange.state !== 'waiting') {
      throw new EvyError('APP_FAILED', 'takeSocket() comes before anything else is sent, and once');
    }
    const socket = this.#socket;
    this.#reading.stop();
    this.#writing = nextWritingState.close(this.#writing);
    this.deadlines.expectNothing();
    this.#service.answered();
    giveAway(socket, this.#reading.parser.takeRest());
    // After its listeners were attached.
    if (this.#service.isDraining) process.nextTick(() => this.#service.announceDrain(socket));
    return socket;
  }

  // ---- ending

  /** No further request: what is queued goes out, then FIN, then the client's own end is waited for. */
  close(): void {
    if (this.#writing === 'gone') return;
    this.#reading.stop();
    this.#writing = nextWritingState.close(this.#writing);
    this.#reading.parser.takeRest();
    this.#linger ??= new Linger(this.deadlines.nowMs, this.#socket.bytesRead);
    this.deadlines.expect('linger', lingerMs);
    this.#output.end();
    if (!this.#output.isEmpty) this.deadlines.expectWrite();
    // Unread bytes in the kernel would make our FIN a reset: read on and throw away.
    this.#socket.resume();
  }

  #lingerOn(): void {
    const goesOn = this.#linger!.goesOn(this.deadlines.nowMs, this.#socket.bytesRead);
    if (goesOn) this.deadlines.expect('linger', lingerMs);
    else this.#socket.destroy();
  }

  /** At once: what has not left will not. */
  destroy(): void {
    this.#settleAll('cut');
    this.#socket.destroy();
  }

  #flush(): void {
    this.#output.flush();
    if (!this.#output.isEmpty) this.deadlines.expectWrite();
  }

  #settleAll(outcome: Outcome): void {
    this.#answered.settleAll(outcome);
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.isOver) return;
    // A socket that was taken over has had its response, whatever it was.
    const isOurs = this.isAnswering;
    if (isOurs) this.#service.answered();
    exchange.input.fail(new EvyError('BODY_CUT', 'the client closed the connection'));
    exchange.settle(isOurs ? outcome : 'sent');
  }
}
