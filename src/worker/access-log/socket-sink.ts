/**
 * The sink of an access log that writes to a collector on a unix or TCP socket. It connects when there is something to
 * write. Each failure counts as a failed write, which the batches retry later. When a connection breaks during a write,
 * it is unknown how much arrived, so the whole batch is sent again: some lines may arrive twice, but none is lost.
 */
import { connect } from 'node:net';
import type { NetConnectOpts, Socket } from 'node:net';
import type { Sink, Written } from './batches.ts';

const connectWithinMs = 5000;
/** how long the last bytes may take at the end */
const endWithinMs = 500;

export class SocketSink implements Sink {
  readonly batchBytes = 65_536;
  readonly #address: NetConnectOpts;
  #socket: Socket | undefined;
  /** the pending write */
  #written: Written | undefined;

  constructor(address: NetConnectOpts) {
    this.#address = address;
  }

  write(bytes: Buffer, written: Written): void {
    this.#written = written;
    const socket = this.#socket ?? this.#connect();
    socket.write(bytes, () => {
      // On a destroyed socket the write's callback does not tell the result; 'close' does.
      if (!socket.destroyed) this.#settle(bytes.length, undefined);
    });
  }

  #connect(): Socket {
    const socket = connect(this.#address);
    let fault = new Error('the connection was closed');
    const tooLate = (): void => void socket.destroy(new Error(`no connection within ${connectWithinMs} ms`));
    socket.setTimeout(connectWithinMs, tooLate);
    socket.once('connect', () => socket.setTimeout(0));
    socket.on('error', (error) => {
      fault = error;
    });
    // The collector sends nothing, but only a reader notices its end.
    socket.once('end', () => socket.destroy());
    socket.once('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#settle(0, fault);
    });
    socket.resume();
    socket.unref();
    this.#socket = socket;
    return socket;
  }

  #settle(taken: number, error: Error | undefined): void {
    const written = this.#written;
    this.#written = undefined;
    written?.(taken, error);
  }

  /** The process is exiting, so a socket cannot write any more. */
  writeNow(): void {}
  reopen(): void {}

  async close(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return;
    this.#written = undefined;
    socket.ref();
    const timer = setTimeout(() => socket.destroy(), endWithinMs);
    await new Promise((resolve) => socket.once('close', resolve).end(() => socket.destroy()));
    clearTimeout(timer);
  }
}
