/**
 * What a connection has to send, one write at a time, and which responses wait for it to leave.
 *
 * Everything put in while a write is under way leaves with the next one, so pipelined responses share a write. Big bodies leave in
 * slices, and each slice is acknowledged before the next, so `sent` counts what the operating system really took: that is the
 * bandwidth that post hooks and the access log show. The kernel takes most writes at once, and then the next one follows.
 */
import type { Socket } from 'node:net';
import type { Outcome } from '../../shared/application.ts';
import type { Transport } from '../../shared/node-private/node-private.ts';

/** Bytes that may wait before the producer is held back. */
const fullBytes = 65_536;
/** Bytes of one write: a head and 64 KiB of body still fit. */
const sliceBytes = 81_920;

export interface OutputOwner {
  /** `sent` has grown. Called from within `flush()` when the kernel took the bytes at once. */
  progressed(): void;
  /** Bytes on their way, or the next ones, are lost: their buffer was detached or resized. Nothing more is sent. */
  spoiled(): void;
}

/** Something to send, and its size when it was put in: a buffer may be detached or resized before it leaves. */
interface Part {
  readonly data: string | Buffer;
  readonly size: number;
}

function bytesOf(data: string | readonly Buffer[]): number {
  return typeof data === 'string' ? data.length : data.reduce((sum, { length }) => sum + length, 0);
}

export class Output {
  readonly #transport: Transport;
  readonly #owner: OutputOwner;
  /** What comes before #text. */
  #parts: Part[] | undefined;
  /** Latin-1. */
  #text = '';
  #underWay = 0;
  /** What the write that is under way has. */
  #slice: string | readonly Buffer[] = '';
  #endWhenEmpty = false;
  #isMoved = false;
  #isSpoiled = false;
  #isGone = false;
  #waiting: Array<() => void> | undefined;
  /** Bytes put in since the connection began. */
  accepted = 0;
  /** Bytes of these that the operating system took. */
  sent = 0;

  constructor(transport: Transport, owner: OutputOwner) {
    this.#transport = transport;
    this.#owner = owner;
  }

  get isEmpty(): boolean {
    return this.sent === this.accepted;
  }
  /** Whether the client takes bytes too slowly for more to be produced now. */
  get isFull(): boolean {
    return this.accepted - this.sent >= fullBytes;
  }

  /** Latin-1 text: one byte a character. */
  putText(text: string): void {
    this.accepted += text.length;
    this.#text += text;
  }

  putBytes(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.accepted += bytes.length;
    if (this.#text !== '') this.#putPart(this.#text);
    this.#text = '';
    this.#putPart(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  #putPart(data: string | Buffer): void {
    (this.#parts ??= []).push({ data, size: data.length });
  }

  flush(): void {
    if (this.#isMoved || this.#isSpoiled) return;
    const transport = this.#transport;
    let hasSent = false;
    while (this.#underWay === 0 && this.accepted > this.sent && !transport.isDestroyed) {
      if (!this.#write()) break;
      hasSent = true;
    }
    if (this.#endWhenEmpty && this.isEmpty && !transport.isEnded && !transport.isDestroyed) transport.end();
    if (!hasSent) return;
    if (this.#waiting !== undefined && !this.isFull) this.#wake();
    this.#owner.progressed();
  }

  /** Gives all that is here to the socket that the connection has become: what others write to it comes after that. */
  moveTo(socket: Socket): void {
    this.#isMoved = true;
    if (this.isEmpty) return;
    while (this.#parts !== undefined || this.#text !== '') {
      const slice = this.#cutSlice();
      if (slice.length === 0) {
        this.#spoil();
        return;
      }
      for (const bytes of slice) socket.write(bytes);
    }
    socket.write('', (error) => {
      if (error) return;
      this.sent = this.accepted;
      this.#owner.progressed();
    });
  }

  /** Sends FIN once everything left. */
  end(): void {
    this.#endWhenEmpty = true;
    this.flush();
  }

  /**
   * Resolves when more may be produced, or nothing can be sent any more. A connection that is destroyed counts only once it is
   * closed: a producer that never waits would keep that event from coming.
   */
  drained(): Promise<void> {
    if (!this.isFull || this.#isGone) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  /** The connection is gone: producers that wait must not wait for ever. */
  abandon(): void {
    this.#isGone = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting ?? []) resolve();
  }

  /** Writes one slice. Returns whether the kernel took all of it at once. */
  #write(): boolean {
    const data = this.#nextSlice();
    if (data.length === 0) {
      this.#spoil();
      return false;
    }
    const bytes = bytesOf(data);
    if (this.#transport.write(data)) {
      this.sent += bytes;
      return true;
    }
    // A failed write is followed by the end of the connection, which settles what was on its way.
    this.#underWay = bytes;
    this.#slice = data;
    return false;
  }

  #spoil(): void {
    if (!this.#isSpoiled) this.#owner.spoiled();
    this.#isSpoiled = true;
  }

  #nextSlice(): string | Buffer[] {
    if (this.#parts !== undefined || this.#text.length > sliceBytes) return this.#cutSlice();
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** Returns an empty list when the next part is lost: no other part may take its place. */
  #cutSlice(): Buffer[] {
    if (this.#text !== '') this.#putPart(this.#text);
    this.#text = '';
    const parts = this.#parts!;
    const batch: Buffer[] = [];
    let room = sliceBytes;
    let taken = 0;
    while (room > 0 && taken < parts.length) {
      const { data, size } = parts[taken]!;
      if (data.length !== size) break;
      const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
      if (bytes.length <= room) {
        batch.push(bytes);
        taken += 1;
      } else {
        batch.push(bytes.subarray(0, room));
        parts[taken] = { data: bytes.subarray(room), size: size - room };
      }
      room -= batch.at(-1)!.length;
    }
    this.#parts = taken === parts.length ? undefined : parts.slice(taken);
    return batch;
  }

  /** A write that had to wait has been done. */
  written(): void {
    if (this.#isMoved) return;
    if (bytesOf(this.#slice) !== this.#underWay) {
      this.#spoil();
      return;
    }
    this.#slice = '';
    this.sent += this.#underWay;
    this.#underWay = 0;
    const sentBefore = this.sent;
    this.flush();
    // flush() has reported already what it sent.
    if (this.sent !== sentBefore) return;
    if (this.#waiting !== undefined && !this.isFull) this.#wake();
    this.#owner.progressed();
  }
}

/** A response whose bytes are all in the output. */
export interface CompleteResponse {
  /** Position in the output where it ends. */
  readonly endOffset: number;
  settle(outcome: Outcome): void;
  spoil(): void;
}

/** Responses that are complete but have not left yet, oldest first: each is settled when its last byte has left. */
export class UnsettledResponses {
  /** Usually there is one, which needs no list. */
  #first: CompleteResponse | undefined;
  #others: CompleteResponse[] | undefined;

  get count(): number {
    return (this.#first === undefined ? 0 : 1) + (this.#others?.length ?? 0);
  }

  get oldest(): CompleteResponse | undefined {
    return this.#first;
  }

  push(response: CompleteResponse): void {
    if (this.#first === undefined) this.#first = response;
    else (this.#others ??= []).push(response);
  }

  /** `sent`: bytes of the output that the operating system took. */
  settleUpTo(sent: number): void {
    const first = this.#first;
    if (first === undefined || first.endOffset > sent) return;
    const others = this.#others;
    if (others === undefined) {
      this.#first = undefined;
      first.settle('sent');
      return;
    }
    let count = 0;
    while (count < others.length && others[count]!.endOffset <= sent) count += 1;
    // Before the first call of settle(): its hooks may add further responses, which come after those that wait already.
    this.#first = others[count];
    this.#others = count + 1 < others.length ? others.slice(count + 1) : undefined;
    first.settle('sent');
    for (let index = 0; index < count; index += 1) others[index]!.settle('sent');
  }

  settleAll(outcome: Outcome): void {
    const first = this.#first;
    const others = this.#others;
    this.#first = undefined;
    this.#others = undefined;
    first?.settle(outcome);
    for (const other of others ?? []) other.settle(outcome);
  }
}
