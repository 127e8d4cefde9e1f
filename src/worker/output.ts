/**
 * What a connection has to send, one write to the socket at a time.
 *
 * Everything put in while a write is under way leaves with the next one, so pipelined responses share a write. Because
 * big bodies leave in slices and each slice is acknowledged before the next, `sent` is what the operating system really
 * took: the bandwidth that post hooks and the access log are told.
 */
import type { Socket } from 'node:net';

/** bytes of one write, and how much may wait before whoever produces is held back */
const sliceBytes = 65_536;

export class Output {
  readonly #socket: Socket;
  readonly #onProgress: () => void;
  #parts: Array<string | Buffer> = [];
  #underWay = 0;
  #endWhenEmpty = false;
  #isGone = false;
  #waiting: Array<() => void> = [];
  /** bytes put in since the connection began */
  accepted = 0;
  /** bytes of these that the operating system took */
  sent = 0;

  constructor(socket: Socket, onProgress: () => void) {
    this.#socket = socket;
    this.#onProgress = onProgress;
  }

  get isEmpty(): boolean {
    return this.sent === this.accepted;
  }
  /** Whether the client takes bytes too slowly for more to be produced now. */
  get isFull(): boolean {
    return this.accepted - this.sent >= sliceBytes;
  }

  /** Latin-1 text: one byte a character. */
  putText(text: string): void {
    this.accepted += text.length;
    const last = this.#parts.length - 1;
    const before = this.#parts[last];
    if (typeof before === 'string') this.#parts[last] = before + text;
    else this.#parts.push(text);
  }

  putBytes(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.accepted += bytes.length;
    this.#parts.push(Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  flush(): void {
    if (this.#underWay > 0 || this.#socket.destroyed) return;
    if (this.#parts.length === 0) {
      if (this.#endWhenEmpty && !this.#socket.writableEnded) this.#socket.end();
      return;
    }
    const first = this.#parts[0]!;
    if (this.#parts.length === 1 && typeof first === 'string' && first.length <= sliceBytes) {
      this.#parts = [];
      this.#underWay = first.length;
      this.#socket.write(first, 'latin1', this.#written);
      return;
    }
    const batch = this.#takeSlice();
    this.#socket.cork();
    for (const part of batch.slice(0, -1)) this.#socket.write(part);
    this.#socket.write(batch.at(-1)!, this.#written);
    this.#socket.uncork();
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
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** The socket is gone: whoever waits must not wait for ever. */
  release(): void {
    this.#isGone = true;
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #takeSlice(): Buffer[] {
    const batch: Buffer[] = [];
    let room = sliceBytes;
    while (room > 0 && this.#parts.length > 0) {
      const part = this.#parts[0]!;
      const bytes = typeof part === 'string' ? Buffer.from(part, 'latin1') : part;
      if (bytes.length <= room) {
        batch.push(bytes);
        this.#parts.shift();
      } else {
        batch.push(bytes.subarray(0, room));
        this.#parts[0] = bytes.subarray(room);
      }
      room -= batch.at(-1)!.length;
    }
    this.#underWay = sliceBytes - room;
    return batch;
  }

  readonly #written = (error?: Error | null): void => {
    // A failed write is followed by 'close', which settles what was on its way.
    if (error) return;
    this.sent += this.#underWay;
    this.#underWay = 0;
    if (this.#parts.length > 0 || this.#endWhenEmpty) this.flush();
    if (!this.isFull && this.#waiting.length > 0) this.#wake();
    this.#onProgress();
  };
}
