/**
 * The output of a connection, one write at a time, and the responses that wait to be sent.
 *
 * Output that is added during a write is sent with the next one, so pipelined responses share a write. Large bodies are
 * sent in slices, each after the previous one was acknowledged, so `sent` counts what the operating system really took:
 * that is the bandwidth that post hooks and the access log show. Usually the kernel takes a slice immediately, and the
 * next one follows.
 */
import type { Socket } from 'node:net';
import type { Outcome } from '../../shared/application.ts';
import type { Transport } from '../../shared/node-private/node-private.ts';

/** Waiting bytes at which the producer is paused. */
const fullBytes = 65_536;
/** Bytes of one write, enough for a head and 64 KiB of body. */
const sliceBytes = 81_920;

export interface OutputOwner {
  /** `sent` has grown. Called from within `flush()` when the kernel took the bytes immediately. */
  progressed(): void;
  /** Output was lost, since its buffer was detached or resized. Nothing more is sent. */
  spoiled(): void;
}

/** A piece of output, with its size when it was added: a buffer may be detached or resized before it is sent. */
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
  /** The parts before #text. */
  #parts: Part[] | undefined;
  /** Latin-1. */
  #text = '';
  #underWay = 0;
  /** The data of the pending write. */
  #slice: string | readonly Buffer[] = '';
  #endWhenEmpty = false;
  #isMoved = false;
  #isSpoiled = false;
  #isGone = false;
  #waiting: Array<() => void> | undefined;
  /** Bytes added since the connection began. */
  accepted = 0;
  /** Bytes that the operating system took. */
  sent = 0;

  constructor(transport: Transport, owner: OutputOwner) {
    this.#transport = transport;
    this.#owner = owner;
  }

  get isEmpty(): boolean {
    return this.sent === this.accepted;
  }
  /** Whether the client reads too slowly for more output. */
  get isFull(): boolean {
    return this.accepted - this.sent >= fullBytes;
  }

  /** Latin-1 text: one byte per character. */
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

  /** Writes all output to the socket that the connection has become, before any other output. */
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

  /** Sends FIN after all output. */
  end(): void {
    this.#endWhenEmpty = true;
    this.flush();
  }

  /**
   * Resolves when more output may be added, or none can be sent any more. For a destroyed connection it waits for
   * 'close': a producer that never waits would prevent that event.
   */
  drained(): Promise<void> {
    if (!this.isFull || this.#isGone) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  /** The connection is closed, so producers stop waiting. */
  abandon(): void {
    this.#isGone = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting ?? []) resolve();
  }

  /** Writes one slice. Returns whether the kernel took it immediately. */
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
    // After a failed write the connection ends, which settles its responses.
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

  /** Returns an empty list when the next part is lost, since no other part may be sent instead. */
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

  /** A pending write is done. */
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
    // flush() has already reported these bytes.
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

/** Complete responses that are not sent yet, oldest first: each is settled when its last byte was sent. */
export class UnsettledResponses {
  /** Usually there is only one, which needs no list. */
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
    // This comes before the first settle(), whose hooks may add responses behind the waiting ones.
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
