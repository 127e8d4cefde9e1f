/**
 * A client connection in memory: what the worker's loop asks of a socket, without a system call. Bytes come to the loop
 * as 'data' events, as they do with TLS, or in one shared buffer that is overwritten after each call, as they do
 * otherwise: what is kept uncopied shows.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deliverTo } from '../../src/shared/node-private.ts';

const overwritten = 0xee;
/** Turns of the event loop that nothing may last longer than: each one is a chance for everything that is due. */
const maxTurns = 2000;

export class MemorySocket extends Duplex {
  readonly #shared: Buffer;
  readonly #received: Buffer[] = [];
  /** the server has sent its FIN */
  ended = false;

  constructor(largestPiece: number) {
    super({ allowHalfOpen: true });
    this.#shared = Buffer.alloc(largestPiece);
  }

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#received.push(Buffer.from(chunk));
    done();
  }
  override _final(done: () => void): void {
    this.ended = true;
    done();
  }

  /** As the loop knows it. */
  get asSocket(): Socket {
    return this as unknown as Socket;
  }
  /** What the server has sent. */
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }

  /** Sends the pieces and then FIN, each when the server reads, and waits for the server's end. False when there is none. */
  async exchange(pieces: readonly Buffer[], how: 'shared' | 'data'): Promise<boolean> {
    let turns = 0;
    const until = async (fact: () => boolean) => {
      while (!fact() && turns++ < maxTurns) await nextTurn();
    };
    for (const piece of pieces) {
      await until(() => !this.isPaused() || this.ended);
      if (how === 'data') {
        this.push(Buffer.from(piece));
        continue;
      }
      this.#shared.set(piece);
      deliverTo(this.asSocket, this.#shared, piece.length);
      this.#shared.fill(overwritten);
    }
    await until(() => !this.isPaused() || this.ended);
    this.push(null);
    this.read(0);
    await until(() => this.ended || this.destroyed);
    const { ended } = this;
    this.destroy();
    return ended;
  }
}
