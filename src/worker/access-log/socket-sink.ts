/**
 * The sink of an access log that writes to a collector behind a unix or TCP socket. It connects when there is something to write; each
 * failure is the failure of a write, which the batches repeat after a while. When a connection breaks during a write, it is unknown
 * how much arrived: the whole batch is sent again, so some lines may come twice, but none is lost.
 */
import { connect } from 'node:net';
import type { NetConnectOpts, Socket } from 'node:net';
import type { Sink, Written } from './batches.ts';

const connectWithinMs = 5000;
/** for the last bytes to leave, at the end */
const endWithinMs = 500;

export class SocketSink implements Sink {
  readonly batchBytes = 65_536;
  readonly #address: NetConnectOpts;
  #socket: Socket | undefined;
  /** the write under way */
  #written: Written | undefined;

  constructor(address: NetConnectOpts) {
    this.#address = address;
  }

  write(bytes: Buffer, written: Written): void {
    this.#written = written;
    const socket = this.#socket ?? this.#connect();
    socket.write(bytes, () => {
      // The call back of a write on a destroyed socket says nothing: 'close' does.
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
    // Nothing is expected from the collector but its end, which only a reader learns of.
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

  /** The process ends: a socket takes nothing any more. */
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
