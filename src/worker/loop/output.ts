/**
 * What a connection has to send, one write at a time.
 *
 * Everything put in while a write is under way leaves with the next one, so pipelined responses share a write. Because
 * big bodies leave in slices and each slice is acknowledged before the next, `sent` is what the operating system really
 * took: the bandwidth that post hooks and the access log are told.
 *
 * Most writes are taken by the kernel at once, and then the next one follows.
 */
import type { Socket } from 'node:net';
import type { Transport } from '../../shared/node-private/node-private.ts';

/** how much may wait before whoever produces is held back */
const fullBytes = 65_536;
/** bytes of one write: a head and 64 KiB of body still go together */
const sliceBytes = 81_920;

export interface OutputOwner {
  /** `sent` has grown; from within `flush()` when the kernel took the bytes at once */
  progressed(): void;
  /** Bytes that are on their way, or come next, are gone: their buffer was detached, or has another size. Nothing more is sent. */
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
  /** what comes before #text */
  #parts: Part[] | undefined;
  /** latin-1 */
  #text = '';
  #underWay = 0;
  /** what the write that is under way has */
  #slice: string | readonly Buffer[] = '';
  #endWhenEmpty = false;
  #isPassedOn = false;
  #isSpoiled = false;
  #isGone = false;
  #waiting: Array<() => void> | undefined;
  /** bytes put in since the connection began */
  accepted = 0;
  /** bytes of these that the operating system took */
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
    if (this.#isPassedOn || this.#isSpoiled) return;
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

  /** Leaves all that is here to the socket that the connection has become: what others write to it comes after that. */
  passTo(socket: Socket): void {
    this.#isPassedOn = true;
    if (this.isEmpty) return;
    while (this.#parts !== undefined || this.#text !== '') {
      const slice = this.#takeSlice();
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
   * Resolves when more may be produced, or nothing can be sent any more. Not for a connection that is merely destroyed: that it is
   * closed is still to be told, and a producer that never waits would not let it.
   */
  drained(): Promise<void> {
    if (!this.isFull || this.#isGone) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  /** The connection is gone: whoever waits must not wait for ever. */
  release(): void {
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
    if (this.#parts !== undefined || this.#text.length > sliceBytes) return this.#takeSlice();
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** Empty when what comes next is not there any more: nothing else may take its place. */
  #takeSlice(): Buffer[] {
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
    if (this.#isPassedOn) return;
    if (bytesOf(this.#slice) !== this.#underWay) {
      this.#spoil();
      return;
    }
    this.#slice = '';
    this.sent += this.#underWay;
    this.#underWay = 0;
    const sentBefore = this.sent;
    this.flush();
    // What flush() has sent on, it has told already.
    if (this.sent !== sentBefore) return;
    if (this.#waiting !== undefined && !this.isFull) this.#wake();
    this.#owner.progressed();
  }
}
