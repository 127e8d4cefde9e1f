/**
 * One client connection: the requests read from it, the responses written to it, one after the other; and whether it
 * goes on, moves to another process or ends.
 */
import type { Socket } from 'node:net';
import type { Outcome } from '../../shared/application.ts';
import { EvyError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { Transport } from '../../shared/node-private/node-private.ts';
import { Answered } from './answered.ts';
import type { PeerFacts } from '../request/environ.ts';
import { Exchange } from './exchange.ts';
import { keepAliveField } from '../http/keep-alive-field.ts';
import { continueResponse } from '../http/response-head.ts';
import type { RequestInput } from '../request/input.ts';
import type { Movable, Released } from '../migration/mover.ts';
import { withdraw } from '../migration/let-go.ts';
import type { Forwarding } from '../proxies/forwarding.ts';
import type { IdleConnection } from '../transport/idle.ts';
import type { ReadingOwner } from './reading-owner.ts';
import { refusalText, refusedSender } from '../request/refusal.ts';
import { RequestReading } from './request-reading.ts';
import type { Response } from './response.ts';
import { ServedConnection } from './served-connection.ts';
import type { Service } from './service.ts';
import { nextWritingState } from './connection-states.ts';

export class Connection extends ServedConnection implements ReadingOwner, Movable, IdleConnection {
  /** undefined for a peer that is not trusted */
  readonly forwarding: Forwarding | undefined;
  protected readonly reading: RequestReading;
  readonly #answered = new Answered();
  #exchange: Exchange | undefined;
  #isFixed: boolean;
  /** begun so far */
  #requests = 0;

  constructor(service: Service, transport: Transport, peer: PeerFacts) {
    super(service, transport, peer);
    this.#isFixed = transport.isEncrypted;
    this.forwarding = service.trustedProxies?.connection(peer);
    this.reading = new RequestReading(transport, service.settings, this.deadlines, this);
    transport.handTo(this);
  }

  /** The request being answered, for reports. */
  get exchange(): Exchange | undefined {
    return this.#exchange;
  }

  progressed(): void {
    this.deadlines.written();
    this.#answered.settleUpTo(this.output.sent);
    this.expectProgress();
    if (this.service.mover !== undefined && this.offer()) return;
    this.reading.goOn();
  }

  protected get oldest(): Response | undefined {
    return this.#answered.oldest ?? this.#exchange;
  }

  // ---- what the reading side asks for

  get input(): RequestInput | undefined {
    return this.#exchange?.input;
  }
  get mayBegin(): boolean {
    // One that is about to move takes its next request along.
    if (this.output.isFull || this.#answered.count >= this.service.settings.pipelineDepth) return false;
    return !(this.service.mover?.hasRoom === true && this.#mayMove);
  }

  headFault(): ErrorCode | undefined {
    const { line, block } = this.reading.parser;
    return this.service.admission.faultOf(line, block, this);
  }

  begin(): void {
    this.writing = nextWritingState.request(this.writing);
    this.#exchange = new Exchange(this.service, this, this.output, this.reading.parser);
    this.#requests += 1;
    this.service.begun();
  }

  call(): void {
    this.service.call(this.#exchange!);
  }

  bodyEnded(): void {
    if (this.#exchange === undefined) return;
    const { trailers } = this.reading.parser;
    if (trailers !== undefined) this.#exchange.trailersCame(trailers);
    this.#exchange.input.finish();
  }

  requestEnded(): void {
    this.#exchange = undefined;
  }

  refused(code: ErrorCode): void {
    const exchange = this.#exchange;
    if (exchange !== undefined && this.isAnswering) {
      exchange.refuseBody(new EvyError(code, `the request body was refused (${code})`));
      this.service.refused(code, exchange.peer.remoteAddress, exchange);
      return;
    }
    const { line } = this.reading.parser;
    const sender = refusedSender(code, this, this.reading.parser, this.service.naming);
    this.service.refused(code, sender.peer.remoteAddress, exchange ?? sender);
    // A request that has been answered, while its body was still coming, has had its one response.
    if (exchange === undefined) {
      const response = refusalText(code, line.method, this.service.http10Only);
      this.output.putText(response);
      this.service.answeredRefusal(code, sender, line, response);
    }
    this.close();
  }

  inputEnded(): void {
    if (this.writing === 'idle') this.close();
  }

  tooMuchToDiscard(): void {
    this.close();
  }

  pumped(): void {
    this.flush();
    if (this.service.closesIdle && this.isIdle) this.close();
    else if (this.service.mover !== undefined) this.offer();
  }

  // ---- being idle

  get key(): object {
    return this;
  }
  get hasAsked(): boolean {
    return this.#requests > 0;
  }
  get idleMs(): number {
    return this.reading.idleMs;
  }
  get bytesRead(): number {
    return this.transport.bytesRead;
  }
  get isStillIdle(): boolean {
    return this.isIdle && this.output.isEmpty && !this.transport.isDestroyed;
  }

  closeUnannounced(): void {
    this.service.closedUnannounced();
    this.close();
  }

  giveWay(): void {
    this.closeUnannounced();
    // Nothing of a response is on the way that a reset could take along.
    setImmediate(() => this.transport.destroy());
  }

  // ---- moving to another process

  /** Nothing stands against it but what is still on its way out. */
  get #mayMove(): boolean {
    if (this.#isFixed || this.writing !== 'idle' || !this.reading.isAtStart) return false;
    return this.service.mover?.mayTake(this.transport) === true;
  }

  /** Moves if it may and there is room, or else later. Whether it is gone. */
  offer(): boolean {
    return this.#mayMove && this.output.isEmpty && this.service.mover!.offer(this);
  }

  release(): Released | undefined {
    if (!this.#mayMove || !this.output.isEmpty) return undefined;
    const released = withdraw({
      transport: this.transport,
      peer: this.peer,
      requests: this.#requests,
      takeRest: () => this.reading.parser.takeRest(),
      resume: (rest) => this.service.take(this.transport, this.peer, rest, this.#requests),
    });
    if (released !== undefined) this.leave();
    else {
      // Whoever held back a request for it must not wait any longer.
      this.#isFixed = true;
      queueMicrotask(() => this.reading.pump());
    }
    return released;
  }

  /** Goes on where another process, or another part of this one, has left off. */
  continueWith(rest: Buffer, requests: number): void {
    this.#requests = requests;
    if (rest.length > 0) this.reading.push(rest);
    else this.reading.pump();
  }

  // ---- what an exchange asks for

  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void {
    if (!this.isAnswering || this.service.http10Only) return;
    this.output.putText(continueResponse(headers));
    this.output.flush();
    // From now on it is the client's turn.
    this.reading.bodyWanted();
  }

  /** Whether another request can follow. `whole`: the response is there as a whole, so nobody reads on. */
  mayPersist(whole: boolean): boolean {
    const { isDraining, mover, settings } = this.service;
    if (isDraining && (this.#isFixed || mover?.expects(this.transport) !== true)) return false;
    const { keepaliveMs, maxRequestsPerConnection: most } = settings;
    if (keepaliveMs === 0 || (most > 0 && this.#requests >= most)) return false;
    return this.reading.mayContinue(whole);
  }

  /** What a response that keeps the connection says about it; '' is nothing. */
  get keepAliveField(): string {
    const { settings } = this.service;
    return settings.keepAliveHeader ? keepAliveField(settings, this.#requests) : '';
  }

  responseDone(response: Response): void {
    this.#answered.push(response);
    this.writing = nextWritingState.response(this.writing);
    this.service.answered();
    if (!response.keepAlive || this.reading.isOver) this.close();
    else this.reading.responseDone();
    if (this.reading.isPumping) return;
    if (this.reading.isOver) this.output.flush();
    else this.reading.pump();
    // All of it may have left before its end was known: then no progress will tell.
    this.#answered.settleUpTo(this.output.sent);
  }

  /** Ends a response that is not whole, so that the client can see it. */
  cut(response: Response, how: 'end' | 'reset'): void {
    this.service.answered();
    this.#answered.push(response);
    response.endOffset = this.output.accepted;
    if (how === 'end') {
      this.close();
      this.#answered.settleUpTo(this.output.sent);
      return;
    }
    this.reset();
  }

  /** Makes it a socket and gives that away, with what was read of it. Unsettled until it closes. */
  takeSocket(exchange: Exchange): Socket {
    if (this.#exchange !== exchange || !this.isAnswering || exchange.state !== 'waiting') {
      throw new EvyError('APP_FAILED', 'takeSocket() must be called once, before anything is sent');
    }
    this.service.answered();
    const socket = this.handOut();
    // After its listeners were attached.
    if (this.service.isDraining) process.nextTick(() => this.service.announceDrain(socket));
    return socket;
  }

  protected left(): void {
    this.service.closed(this);
  }

  protected settleAll(outcome: Outcome): void {
    this.#answered.settleAll(outcome);
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.isOver) return;
    // A socket that was taken over has had its response, whatever it was.
    const isOurs = this.isAnswering;
    if (isOurs) this.service.answered();
    exchange.input.fail(new EvyError('BODY_CUT', 'the client closed the connection'));
    exchange.settle(isOurs ? outcome : 'sent');
  }
}
