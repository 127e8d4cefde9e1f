/**
 * A client connection in memory: what the worker's loop asks of a connection, without a system call. Of the two kinds, one is a
 * stream, as with TLS; the other one brings its bytes in a buffer that is overwritten after each call, as connections on libuv's
 * handles do: what is kept uncopied shows.
 */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { noOwner } from '../../src/shared/node-private/node-private.ts';
import type { Transport, TransportOwner } from '../../src/shared/node-private/node-private.ts';
import { StreamTransport } from '../../src/worker/transport/stream-transport.ts';

const overwritten = 0xee;
/** Turns of the event loop that nothing may last longer than: each one is a chance for everything that is due. */
const maxTurns = 2000;

export interface MemoryClient {
  readonly transport: Transport;
  /** what the server has sent */
  readonly received: Buffer;
  /** the server has sent its FIN */
  readonly isEnded: boolean;
  send(piece: Buffer): void;
  endByClient(): void;
}

export class StreamClient extends Duplex implements MemoryClient {
  readonly transport = new StreamTransport(this as unknown as Socket);
  readonly #received: Buffer[] = [];
  isEnded = false;

  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {}
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#received.push(Buffer.from(chunk));
    done();
  }
  override _final(done: () => void): void {
    this.isEnded = true;
    done();
  }
  get received(): Buffer {
    return Buffer.concat(this.#received);
  }
  send(piece: Buffer): void {
    this.push(Buffer.from(piece));
  }
  endByClient(): void {
    this.push(null);
    this.read(0);
  }
}

export class SharedClient implements MemoryClient, Transport {
  readonly transport = this;
  readonly isEncrypted = false;
  readonly localEnd = {};
  readonly remoteEnd = {};
  readonly #shared: Buffer;
  readonly #received: Buffer[] = [];
  #owner: TransportOwner = noOwner;
  bytesRead = 0;
  isPaused = true;
  hasEnded = false;
  isEnded = false;
  isDestroyed = false;

  constructor(largestPiece: number) {
    this.#shared = Buffer.alloc(largestPiece);
  }

  get received(): Buffer {
    return Buffer.concat(this.#received);
  }
  send(piece: Buffer): void {
    this.#shared.set(piece);
    this.bytesRead += piece.length;
    this.#owner.receive(this.#shared, piece.length);
    this.#shared.fill(overwritten);
  }

  setOwner(owner: TransportOwner): void {
    this.#owner = owner;
    this.resume();
  }
  pause(): void {
    this.isPaused = true;
  }
  resume(): void {
    this.isPaused = false;
  }
  write(data: string | readonly Buffer[]): boolean {
    if (this.isEnded) throw new Error('a write behind the end');
    this.#received.push(typeof data === 'string' ? Buffer.from(data, 'latin1') : Buffer.concat(data));
    return true;
  }
  /** Of the server's side; whoever comes second closes the connection. */
  end(): void {
    this.isEnded = true;
    if (this.hasEnded) this.destroy();
  }
  endByClient(): void {
    this.hasEnded = true;
    this.#owner.ended();
    if (this.isEnded) this.destroy();
  }
  destroy(): void {
    if (this.isDestroyed) return;
    this.isDestroyed = true;
    setImmediate(() => this.#owner.closed());
  }
  reset(): void {
    this.destroy();
  }
  detach(): undefined {}
  intoSocket(): never {
    throw new Error('nobody takes it over');
  }
}

/** Sends the pieces and then FIN, each when the server reads, and waits for the server's end. False when there is none. */
export async function exchange(client: MemoryClient, pieces: readonly Buffer[]): Promise<boolean> {
  const { transport } = client;
  let turns = 0;
  const until = async (fact: () => boolean) => {
    while (!fact() && turns++ < maxTurns) await nextTurn();
  };
  for (const piece of pieces) {
    await until(() => !transport.isPaused || client.isEnded);
    client.send(piece);
  }
  await until(() => !transport.isPaused || client.isEnded);
  client.endByClient();
  await until(() => client.isEnded || transport.isDestroyed);
  const { isEnded } = client;
  transport.destroy();
  return isEnded;
}
