/**
 * One client connection: the thin shell between a socket, the parser and the exchange under way.
 *
 * Requests are taken one at a time: the next head is parsed when the response before it has been handed to the output,
 * so answers leave in order whatever the pipelining. Reading and writing are a word each in the tables below; whether
 * the connection is idle, active or closing is derived from them.
 */
import type { Socket } from 'node:net';
import type { Outcome } from '../shared/application.ts';
import { EvyError } from '../shared/errors.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { resetNow } from '../shared/node-private.ts';
import { Answered } from './answered.ts';
import { nextReadingState, nextWritingState } from './connection-states.ts';
import type { ReadingState, WritingState } from './connection-states.ts';
import { Deadlines } from './deadlines.ts';
import type { ReadWait } from './deadlines.ts';
import type { PeerFacts } from './environ.ts';
import { Exchange } from './exchange.ts';
import { RequestParser } from './http/request-parser.ts';
import { continueResponse } from './http/response-head.ts';
import { Output } from './output.ts';
import { peerFacts } from './peer.ts';
import { refusalText } from './refusal.ts';
import type { Service } from './service.ts';

/** what the client may still send of a body that nobody reads, to keep the connection; and of pipelined requests */
const discardBytes = 65_536;
/** how long a closing connection is read on, so that the client sees the response and no reset (RFC 9112 §9.6) */
const lingerMs = 2000;

export class Connection {
  readonly peer: PeerFacts;
  readonly deadlines: Deadlines;
  readonly #service: Service;
  readonly #socket: Socket;
  readonly #parser: RequestParser;
  readonly #output: Output;
  #reading: ReadingState = 'head';
  #writing: WritingState = 'idle';
  #exchange: Exchange | undefined;
  readonly #answered = new Answered();
  #discarded = 0;
  #pumping = false;

  constructor(service: Service, socket: Socket, scheme: 'http' | 'https') {
    this.#service = service;
    this.#socket = socket;
    this.peer = peerFacts(socket, scheme);
    this.#parser = new RequestParser(service.settings);
    this.#output = new Output(socket, this.#onProgress);
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('error', ignoreError);
    socket.on('close', this.#onClose);
    this.deadlines = new Deadlines(service.clock, service.settings.socketTimeoutMs, this.#expired);
    this.#expectRequest();
  }

  /** No request is being read or answered. */
  get isIdle(): boolean {
    return this.#reading === 'head' && this.#writing === 'idle' && !this.#parser.isMidHead && this.#parser.buffered === 0;
  }
  /** The request being answered, for reports. */
  get exchange(): Exchange | undefined {
    return this.#exchange;
  }

  // ---- reading

  readonly #onData = (bytes: Buffer): void => {
    if (this.#reading === 'over') return;
    this.#parser.push(bytes);
    this.#pump();
    // While a response is under way further requests wait, in the kernel rather than here.
    if (this.#parser.buffered > discardBytes || (this.#reading === 'body' && !this.#hasRoom())) this.#socket.pause();
  };

  #hasRoom(): boolean {
    return this.#exchange === undefined || this.#exchange.input.hasRoom || this.#discarding;
  }
  get #discarding(): boolean {
    return this.#writing !== 'open';
  }

  /** Takes events from the parser as long as they can be acted upon. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    while ((this.#reading === 'head' && !this.#output.isFull) || (this.#reading === 'body' && this.#hasRoom())) {
      const event = this.#parser.next();
      if (event === 'head') this.#begin();
      else if (event === 'data') this.#deliver();
      else if (event === 'end') this.#endBody();
      else if (event === 'refused') this.#refuse(this.#parser.fault);
      else break;
    }
    this.#pumping = false;
    if (this.#reading !== 'over') this.#afterReading();
    this.#output.flush();
    if (!this.#output.isEmpty) this.deadlines.expectWrite();
  }

  #afterReading(): void {
    if (this.#socket.readableEnded && this.#parser.buffered === 0 && this.#reading !== 'held') this.#inputEnded();
    else if (this.#reading === 'body') this.deadlines.expect('body', this.#service.settings.socketTimeoutMs);
    else if (this.#reading === 'held' || this.#parser.buffered > 0) this.deadlines.expectNothing();
    else if (!this.#parser.isMidHead) this.#expectRequest();
    else if (this.deadlines.wait !== 'head') this.deadlines.expect('head', this.#service.settings.headTimeoutMs);
    if (this.#socket.isPaused() && (this.#reading === 'body' ? this.#hasRoom() : this.#parser.buffered <= discardBytes)) {
      this.#socket.resume();
    }
    if (this.#service.closesIdle && this.isIdle) this.close();
  }

  #begin(): void {
    const hasBody = this.#parser.block.framing.body !== 'none';
    this.#reading = nextReadingState(this.#reading, hasBody ? 'request-with-body' : 'request');
    this.#writing = nextWritingState(this.#writing, 'request');
    this.#discarded = 0;
    const exchange = new Exchange(this.#service, this, this.#output, this.#parser);
    this.#exchange = exchange;
    this.#service.begin(exchange);
  }

  #deliver(): void {
    if (!this.#discarding) {
      this.#exchange!.input.deliver(this.#parser.data);
      return;
    }
    this.#discarded += this.#parser.data.length;
    if (this.#discarded > discardBytes) this.close();
  }

  #endBody(): void {
    const exchange = this.#exchange;
    this.#reading = nextReadingState(this.#reading, 'body-end');
    if (exchange !== undefined) {
      if (this.#parser.trailers !== undefined) exchange.env['evy.trailers'] = this.#parser.trailers;
      exchange.input.finish();
    }
    if (this.#discarding) this.#nextRequest();
  }

  #nextRequest(): void {
    this.#reading = nextReadingState(this.#reading, 'response');
    this.#exchange = undefined;
  }

  #refuse(code: ErrorCode): void {
    const exchange = this.#exchange;
    this.#reading = nextReadingState(this.#reading, 'stop');
    if (exchange !== undefined && this.#writing === 'open') {
      // The request is with the application: whoever reads its body learns it, and the response is the last one.
      exchange.input.fail(new EvyError(code, `the request body was refused (${code})`));
      return;
    }
    this.#service.refused(code, this.peer.remoteAddress, undefined);
    // A request that has been answered, while its body was still coming, has had its one response.
    if (exchange === undefined) this.#output.putText(refusalText(code, this.#parser.line.method, this.#service.http10Only));
    this.close();
  }

  readonly #onEnd = (): void => {
    if (this.#reading === 'over') {
      if (this.#writing === 'closing') this.#output.flush();
      return;
    }
    this.#pump();
  };

  /** The client has shut down its side: it gets its answers, then we close. */
  #inputEnded(): void {
    const fault = this.#parser.finish();
    if (fault !== undefined) this.#refuse(fault);
    else if (this.#writing === 'idle') this.close();
  }

  // ---- what an exchange asks for

  bodyWanted(): void {
    if (this.#reading === 'body') this.#pump();
  }

  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void {
    if (this.#writing !== 'open' || this.#service.http10Only) return;
    this.#output.putText(continueResponse(headers));
    this.#output.flush();
  }

  /** Whether another request can follow. `whole`: the response is known as a whole, so nobody reads on. */
  mayPersist(whole: boolean): boolean {
    if (this.#service.isDraining || this.#service.settings.keepaliveMs === 0 || this.#reading === 'over') return false;
    if (this.#socket.readableEnded && this.#parser.buffered === 0) return false;
    if (this.#reading !== 'body') return true;
    // A client that waits for 100 Continue may send its body or not; one with a long body would only be throttled.
    return !this.#exchange!.input.owesContinue && !(whole && this.#parser.block.framing.body === 'length' && this.#parser.bodyBytesLeft > discardBytes);
  }

  flushSoon(): void {
    if (!this.#pumping) {
      this.#output.flush();
      if (!this.#output.isEmpty) this.deadlines.expectWrite();
    }
  }

  responseDone(exchange: Exchange): void {
    this.#answered.push(exchange);
    this.#writing = nextWritingState(this.#writing, 'response');
    this.#service.answered();
    if (!exchange.keepAlive || this.#reading === 'over') this.close();
    else if (this.#reading === 'held') this.#nextRequest();
    if (this.#pumping) return;
    if (this.#reading === 'over') this.#output.flush();
    else this.#pump();
    // All of it may have left before its end was known: then no progress will tell.
    this.#answered.settleUpTo(this.#output.sent);
  }

  /** Ends a response that is not whole, so that the client can see it. */
  cut(exchange: Exchange, how: 'end' | 'reset'): void {
    this.#service.answered();
    this.#answered.push(exchange);
    exchange.endOffset = this.#output.accepted;
    if (how === 'end') {
      this.close();
      this.#answered.settleUpTo(this.#output.sent);
      return;
    }
    this.#reading = nextReadingState(this.#reading, 'stop');
    this.#writing = nextWritingState(this.#writing, 'close');
    resetNow(this.#socket);
  }

  /** Gives the socket away, with what was read of it. Unsettled until it closes. */
  takeSocket(exchange: Exchange): Socket {
    if (this.#exchange !== exchange || this.#writing !== 'open' || exchange.state !== 'waiting') {
      throw new EvyError('APP_FAILED', 'takeSocket() comes before anything else is sent, and once');
    }
    const socket = this.#socket;
    socket.off('data', this.#onData).off('end', this.#onEnd).off('error', ignoreError);
    socket.pause();
    this.#reading = nextReadingState(this.#reading, 'stop');
    this.#writing = nextWritingState(this.#writing, 'close');
    this.deadlines.expectNothing();
    this.#service.answered();
    const rest = this.#parser.takeRest();
    if (rest.length > 0) socket.unshift(rest);
    // Not paused but not read yet either, as a fresh socket is: the first 'data' listener makes it flow.
    (socket as { readableFlowing: boolean | null }).readableFlowing = null;
    return socket;
  }

  // ---- ending

  /** No further request: what is queued goes out, then FIN, then the client's own end is waited for. */
  close(): void {
    if (this.#writing === 'gone') return;
    this.#reading = nextReadingState(this.#reading, 'stop');
    this.#writing = nextWritingState(this.#writing, 'close');
    this.#parser.takeRest();
    this.deadlines.expect('linger', lingerMs);
    this.#output.end();
    if (!this.#output.isEmpty) this.deadlines.expectWrite();
    // Unread bytes in the kernel would make our FIN a reset: read on and throw away.
    this.#socket.resume();
  }

  /** At once: what has not left will not. */
  destroy(): void {
    this.#settleAll('cut');
    this.#socket.destroy();
  }

  readonly #onProgress = (): void => {
    this.deadlines.written();
    this.#answered.settleUpTo(this.#output.sent);
    if (this.#output.isEmpty) {
      if (this.deadlines.wait === 'linger') this.deadlines.expect('linger', lingerMs);
    } else this.deadlines.expectWrite();
    if (!this.#output.isFull && this.#reading === 'head' && this.#parser.buffered > 0) this.#pump();
  };

  readonly #onClose = (): void => {
    this.#settleAll('client-gone');
    this.#reading = nextReadingState(this.#reading, 'stop');
    this.#writing = nextWritingState(this.#writing, 'lost');
    this.#output.release();
    this.#service.closed(this);
  };

  #settleAll(outcome: Outcome): void {
    this.#answered.settleAll(outcome);
    const exchange = this.#exchange;
    if (exchange === undefined || exchange.isOver) return;
    // A socket that was taken over has had its response, whatever it was.
    const isOurs = this.#writing === 'open';
    if (isOurs) this.#service.answered();
    exchange.input.fail(new EvyError('BODY_CUT', 'the client closed the connection'));
    exchange.settle(isOurs ? outcome : 'sent');
  }

  // ---- deadlines

  #expectRequest(): void {
    const { keepaliveMs, headTimeoutMs } = this.#service.settings;
    this.deadlines.expect('idle', keepaliveMs || headTimeoutMs);
  }

  readonly #expired = (wait: ReadWait | 'write'): void => {
    switch (wait) {
      case 'write':
        this.destroy();
        break;
      case 'idle':
        this.close();
        break;
      case 'head':
        this.#refuse('HEAD_TIMEOUT');
        break;
      case 'body':
        // An application that does not read is slow, not the client.
        if (this.#hasRoom()) this.#refuse('BODY_TIMEOUT');
        break;
      case 'linger':
        if (this.#output.isEmpty) this.#socket.destroy();
        break;
      case 'none':
        break;
    }
  };
}

function ignoreError(): void {
  // 'close' follows and settles everything.
}
