/**
 * What a connection has to send, one write to the socket at a time.
 *
 * Everything put in while a write is under way leaves with the next one, so pipelined responses share a write. Because
 * big bodies leave in slices and each slice is acknowledged before the next, `sent` is what the operating system really
 * took: the bandwidth that post hooks and the access log are told.
 *
 * Most writes are taken by the kernel at once. A direct write says so before it returns. After write() `writableLength` does, which
 * spares a callback for each; only after one that has to wait, an empty one follows it for the sake of its callback.
 */
import type { Socket } from 'node:net';
import { writeDirectly, writesDirectly } from '../shared/node-private.ts';
import type { Writer } from '../shared/node-private.ts';

/** how much may wait before whoever produces is held back */
const fullBytes = 65_536;
/** bytes of one write: a head and 64 KiB of body still go together */
const sliceBytes = 81_920;

export interface OutputOwner {
  /** `sent` has grown; from within `flush()` when the kernel took the bytes at once */
  progressed(): void;
}

export class Output implements Writer {
  readonly #socket: Socket;
  readonly #owner: OutputOwner;
  readonly #isDirect: boolean;
  /** what comes before #text */
  #parts: Array<string | Buffer> | undefined;
  /** latin-1 */
  #text = '';
  #underWay = 0;
  #endWhenEmpty = false;
  #isPassedOn = false;
  #isGone = false;
  #waiting: Array<() => void> | undefined;
  /** bytes put in since the connection began */
  accepted = 0;
  /** bytes of these that the operating system took */
  sent = 0;

  constructor(socket: Socket, owner: OutputOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#isDirect = writesDirectly(socket);
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
    this.#parts ??= [];
    if (this.#text !== '') this.#parts.push(this.#text);
    this.#text = '';
    this.#parts.push(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  flush(): void {
    if (this.#isPassedOn) return;
    let hasSent = false;
    while (this.#underWay === 0 && this.accepted > this.sent && !this.#socket.destroyed) {
      if (!this.#write()) break;
      hasSent = true;
    }
    if (this.#endWhenEmpty && this.isEmpty && !this.#socket.writableEnded && !this.#socket.destroyed)
      this.#socket.end();
    if (!hasSent) return;
    if (this.#waiting !== undefined && !this.isFull) this.#wake();
    this.#owner.progressed();
  }

  /** Leaves all that is here to the stream, for a socket that others write to from now on: they come after it. */
  passOn(): void {
    this.flush();
    this.#isPassedOn = true;
    if (this.isEmpty) return;
    while (this.#parts !== undefined || this.#text !== '')
      for (const bytes of this.#takeSlice()) this.#socket.write(bytes);
    this.#socket.write('', (error) => {
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
   * Resolves when more may be produced, or nothing can be sent any more. Not for a socket that is merely destroyed: its
   * 'close' is still to come, and a producer that never waits would not let it.
   */
  drained(): Promise<void> {
    if (!this.isFull || this.#isGone) return Promise.resolve();
    return new Promise((resolve) => (this.#waiting ??= []).push(resolve));
  }

  /** The socket is gone: whoever waits must not wait for ever. */
  release(): void {
    this.#isGone = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const resolve of waiting ?? []) resolve();
  }

  /** Hands one slice to the socket. Returns whether the kernel took all of it at once. */
  #write(): boolean {
    const socket = this.#socket;
    let bytes: number;
    if (this.#parts === undefined && this.#text.length <= sliceBytes) {
      const text = this.#text;
      bytes = text.length;
      this.#text = '';
      if (this.#isDirect) {
        if (writeDirectly(socket, text, this)) {
          this.sent += bytes;
          return true;
        }
        this.#underWay = bytes;
        return false;
      }
      socket.write(text, 'latin1');
    } else {
      const batch = this.#takeSlice();
      bytes = 0;
      socket.cork();
      for (const part of batch) {
        bytes += part.length;
        socket.write(part);
      }
      socket.uncork();
    }
    // A failed write is followed by 'close', which settles what was on its way.
    if (socket.writableLength === 0 && socket.errored === null) {
      this.sent += bytes;
      return true;
    }
    this.#underWay = bytes;
    socket.write('', (error) => {
      if (!error) this.written();
    });
    return false;
  }

  #takeSlice(): Buffer[] {
    const parts = this.#parts ?? [];
    if (this.#text !== '') parts.push(this.#text);
    this.#text = '';
    const batch: Buffer[] = [];
    let room = sliceBytes;
    let taken = 0;
    while (room > 0 && taken < parts.length) {
      const part = parts[taken]!;
      const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
      if (bytes.length <= room) {
        batch.push(bytes);
        taken += 1;
      } else {
        batch.push(bytes.subarray(0, room));
        parts[taken] = bytes.subarray(room);
      }
      room -= batch.at(-1)!.length;
    }
    this.#parts = taken === parts.length ? undefined : parts.slice(taken);
    return batch;
  }

  /** @internal A write that had to wait has been done. */
  written(): void {
    if (this.#isPassedOn) return;
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
