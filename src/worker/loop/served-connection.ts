/**
 * A connection that requests are served on, as far as that is the same whatever they are: who listens to it, what is waited for, and
 * how it ends. Reading and writing are a word each (states.ts); whether the connection is idle, active or closing is
 * derived from them.
 */
import type { Socket } from 'node:net';
import type { Outcome } from '../../shared/application.ts';
import type { Transport, TransportOwner } from '../../shared/node-private/node-private.ts';
import type { Expiring } from '../transport/clock.ts';
import { Deadlines } from './deadlines.ts';
import type { PeerFacts } from '../request/environ.ts';
import { Linger, lingerMs } from '../transport/linger.ts';
import { Output } from './output.ts';
import type { OutputOwner } from './output.ts';
import type { RequestReading } from './request-reading.ts';
import type { Response } from './response.ts';
import type { Service } from './service.ts';
import { nextWritingState } from './connection-states.ts';
import type { WritingState } from './connection-states.ts';

export abstract class ServedConnection implements TransportOwner, OutputOwner, Expiring {
  /** whom the client and the server are to applications */
  readonly peer: PeerFacts;
  readonly transport: Transport;
  readonly deadlines: Deadlines;
  protected readonly service: Service;
  protected readonly output: Output;
  protected writing: WritingState = 'idle';
  /** once it is closing */
  #linger: Linger | undefined;
  /** what the connection has become, once it was taken over */
  #socket: Socket | undefined;

  constructor(service: Service, transport: Transport, peer: PeerFacts) {
    this.service = service;
    this.transport = transport;
    this.peer = peer;
    this.output = new Output(transport, this);
    this.deadlines = new Deadlines(service.clock, service.settings.socketTimeoutMs);
  }

  protected abstract readonly reading: RequestReading;
  /** Whoever is still to be answered is not. */
  protected abstract settleAll(outcome: Outcome): void;
  abstract progressed(): void;
  /** of those that are not settled */
  protected abstract readonly oldest: Response | undefined;
  /** It is out of service. */
  protected abstract left(): void;

  /** No request is being read or answered. */
  get isIdle(): boolean {
    return this.writing === 'idle' && this.reading.isBetween;
  }

  /** A response is under way. */
  get isAnswering(): boolean {
    return this.writing === 'open';
  }

  /** Undefined as long as the connection is served here. */
  get takenSocket(): Socket | undefined {
    return this.#socket;
  }

  // ---- what the transport tells

  receive(buffer: Buffer, length: number): void {
    this.reading.pushShared(buffer, length);
  }

  ended(): void {
    if (!this.reading.isOver) this.reading.pump();
    else if (this.writing === 'closing') this.output.flush();
  }

  written(): void {
    this.output.written();
  }

  closed(): void {
    this.settleAll('client-gone');
    this.leave();
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
        this.service.cut(this.peer.remoteAddress);
        this.destroy();
        break;
      case 'idle':
        this.close();
        break;
      case 'head':
        this.reading.refuse('HEAD_TIMEOUT');
        break;
      case 'body':
        this.reading.bodyTimedOut();
        break;
      case 'linger':
        if (this.output.isEmpty) this.#lingerOn();
        break;
      case 'none':
        break;
      default:
        wait satisfies never;
    }
  }

  /** Later: what has left has its response settled first, and whoever flushes is not to find the connection gone. */
  spoiled(): void {
    this.reading.stop();
    queueMicrotask(() => {
      this.oldest?.spoil();
      this.settleAll('cut');
      if (this.#socket !== undefined) this.#socket.destroy();
      else if (!this.transport.isDestroyed) this.transport.reset();
    });
  }

  // ---- what an exchange asks for

  bodyWanted(): void {
    this.reading.bodyWanted();
  }

  flushSoon(): void {
    if (!this.reading.isPumping) this.flush();
  }

  // ---- ending

  /** No further request: what is queued goes out, then FIN, then the client's own end is waited for. */
  close(): void {
    if (this.writing === 'gone') return;
    this.reading.stop();
    this.writing = nextWritingState.close(this.writing);
    this.reading.parser.takeRest();
    this.#linger ??= new Linger(this.deadlines.nowMs, this.transport.bytesRead);
    this.deadlines.expect('linger', lingerMs);
    this.output.end();
    if (!this.output.isEmpty) this.deadlines.expectWrite();
    // Unread bytes in the kernel would make our FIN a reset: read on and throw away.
    this.transport.resume();
  }

  #lingerOn(): void {
    const goesOn = this.#linger!.goesOn(this.deadlines.nowMs, this.transport.bytesRead);
    if (goesOn) this.deadlines.expect('linger', lingerMs);
    else this.transport.destroy();
  }

  /** At once: what has not left will not. */
  destroy(): void {
    this.settleAll('cut');
    (this.#socket ?? this.transport).destroy();
  }

  protected leave(): void {
    this.reading.stop();
    this.writing = nextWritingState.lost(this.writing);
    this.output.release();
    this.left();
  }

  protected flush(): void {
    this.output.flush();
    if (!this.output.isEmpty) this.deadlines.expectWrite();
  }

  /** While something is on its way out, the client is to take it. */
  protected expectProgress(): void {
    if (!this.output.isEmpty) this.deadlines.expectWrite();
    else if (this.deadlines.wait === 'linger') this.deadlines.expect('linger', lingerMs);
  }

  /** Ends it where FIN would mean that what was sent is whole. */
  protected reset(): void {
    this.reading.stop();
    this.writing = nextWritingState.close(this.writing);
    this.transport.reset();
  }

  /** It is somebody else's from now on, with what was read of it. */
  protected handOut(): Socket {
    this.reading.stop();
    this.writing = nextWritingState.close(this.writing);
    this.deadlines.expectNothing();
    // Answers to requests before it come first.
    this.output.flush();
    this.#socket = this.transport.intoSocket(Buffer.from(this.reading.parser.takeRest()));
    this.output.passTo(this.#socket);
    return this.#socket;
  }
}
