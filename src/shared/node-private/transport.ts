/**
 * A connection as the HTTP loop sees it: bytes in, bytes out, and how it ends. Two kinds: on libuv's handle itself
 * (raw-connection.ts), and on a stream of Node (worker/transport/stream-transport.ts) where there is TLS or no private API.
 */
import type { Socket } from 'node:net';
import type { Detached } from './moving.ts';

/** One end of a connection. Nothing is known of a unix socket; nor of a client's end when it is gone. */
export interface End {
  address?: string | undefined;
  port?: number | undefined;
}

/** Whoever serves a connection. Nothing is told from within a call to the transport. */
export interface TransportOwner {
  /** Bytes have come: the first `length` of `buffer`, which is somebody else's when this returns. */
  receive(buffer: Buffer, length: number): void;
  /** The client has shut down its side; told when every byte before it has been. */
  ended(): void;
  /** A write that had to wait has been done. */
  written(): void;
  /** It is gone, whoever ended it. The last thing to be told, and once. */
  closed(): void;
}

/** Of a connection that is between two owners. */
export const noOwner: TransportOwner = { receive() {}, ended() {}, written() {}, closed() {} };

export interface Transport {
  /**
   * Reads, and tells everything to `owner` from now on, and nothing to whoever had it before. What was told already (`hasEnded`, or that
   * it is closed) is not told again.
   */
  setOwner(owner: TransportOwner): void;
  /** TLS: it cannot leave the process */
  readonly isEncrypted: boolean;
  /** bytes that came, of TLS what was in it */
  readonly bytesRead: number;
  readonly localEnd: End;
  readonly remoteEnd: End;

  /** What the client sends waits in the kernel until `resume`. */
  pause(): void;
  resume(): void;
  readonly isPaused: boolean;
  /** the client has shut down its side, and that was told */
  readonly hasEnded: boolean;

  /**
   * Sends latin-1 text, or bytes, which are not to be changed until they have left. Returns true when the kernel took all at once; otherwise
   * the owner is told when it has, unless the connection fails before: then `closed` follows. Not before an earlier write is done.
   */
  write(data: string | readonly Buffer[]): boolean;
  /** Sends FIN, when all writes are done. */
  end(): void;
  /** no more can be written */
  readonly isEnded: boolean;
  /** Closes at once. */
  destroy(): void;
  /** Closes so that the client does not take what it got for whole: with RST, or without close_notify. */
  reset(): void;
  /** it is closed, or a socket */
  readonly isDestroyed: boolean;

  /**
   * Stops reading, for another process to go on: nothing is told of it until it is handed to somebody again. Undefined, with nothing
   * changed, when bytes are still on their way out or it cannot leave.
   */
  detach(): Detached | undefined;
  /**
   * Makes it a socket like any other, with `rest` as the first bytes to read, which is kept; to the owner only its close is told. Of one that
   * is closed, a socket that is.
   */
  intoSocket(rest?: Buffer): Socket;
}
