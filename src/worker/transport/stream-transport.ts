/**
 * A connection on a Node stream: for TLS, and where raw connections are not available. The socket has a reference to
 * its transport, so all sockets share the same few listeners: closures would cost memory in each idle connection.
 */
import type { Socket } from 'node:net';
import {
  attach,
  detach,
  noOwner,
  rawConnection,
  readAgain,
  reattach,
  remoteEnd,
  resetNow,
} from '../../shared/node-private/node-private.ts';
import type { Detached, End, PassedHandle, Transport, TransportOwner } from '../../shared/node-private/node-private.ts';

const transport = Symbol('transport');

interface CarriedSocket extends Socket {
  [transport]: StreamTransport;
}

export class StreamTransport implements Transport {
  readonly isEncrypted: boolean;
  readonly #socket: Socket;
  #owner = noOwner;
  #state: 'fresh' | 'listening' | 'detached' = 'fresh';

  constructor(socket: Socket) {
    this.#socket = socket;
    this.isEncrypted = 'encrypted' in socket;
    (socket as CarriedSocket)[transport] = this;
    // 'close' follows, which settles everything.
    socket.on('error', ignoreError);
  }

  setOwner(owner: TransportOwner): void {
    const socket = this.#socket;
    this.#owner = owner;
    if (this.#state === 'fresh') socket.on('end', onEnd).on('close', onClose);
    if (this.#state !== 'listening') socket.on('data', onData);
    if (this.#state === 'detached') reattach(socket);
    this.#state = 'listening';
    socket.resume();
  }

  /** @internal */
  received(bytes: Buffer): void {
    this.#owner.receive(bytes, bytes.length);
  }
  /** @internal */
  endedByClient(): void {
    this.#owner.ended();
  }
  /** @internal */
  closed(): void {
    this.#owner.closed();
  }

  get bytesRead(): number {
    return this.#socket.bytesRead;
  }
  get localEnd(): End {
    return { address: this.#socket.localAddress, port: this.#socket.localPort };
  }
  get remoteEnd(): End {
    return remoteEnd(this.#socket);
  }

  pause(): void {
    this.#socket.pause();
  }
  resume(): void {
    this.#socket.resume();
  }
  get isPaused(): boolean {
    return this.#socket.isPaused();
  }
  get hasEnded(): boolean {
    return this.#socket.readableEnded;
  }

  /**
   * The kernel takes most writes immediately, which `writableLength` shows without a callback for each. Only after a
   * write that is pending, an empty one follows for its callback.
   */
  write(data: string | readonly Buffer[]): boolean {
    const socket = this.#socket;
    if (typeof data === 'string') socket.write(data, 'latin1');
    else {
      socket.cork();
      for (const part of data) socket.write(part);
      socket.uncork();
    }
    if (socket.writableLength === 0 && socket.errored === null && !socket.destroyed) return true;
    socket.write('', (error) => {
      if (!error) this.#owner.written();
    });
    return false;
  }

  end(): void {
    this.#socket.end();
  }
  get isEnded(): boolean {
    return this.#socket.writableEnded;
  }
  destroy(): void {
    this.#socket.destroy();
  }
  reset(): void {
    // Node does not close a socket that cannot be reset because its FIN is being sent.
    if (this.isEnded) this.destroy();
    else resetNow(this.#socket);
  }
  get isDestroyed(): boolean {
    return this.#socket.destroyed;
  }

  detach(): Detached | undefined {
    const socket = this.#socket;
    if (this.isEncrypted) return undefined;
    socket.off('data', onData);
    const detached = detach(socket);
    if (detached === undefined) {
      if (this.#state === 'listening') socket.on('data', onData);
      return undefined;
    }
    this.#state = 'detached';
    this.#owner = noOwner;
    return detached;
  }

  intoSocket(rest?: Buffer): Socket {
    const socket = this.#socket;
    socket.off('data', onData).off('end', onEnd).off('error', ignoreError);
    if (this.#state === 'fresh' && rest === undefined) return socket;
    socket.pause();
    if (socket.readableEnded) readAgain(socket, rest);
    else if (rest !== undefined && rest.length > 0) socket.unshift(rest);
    // It must not read, like a new socket: the first 'data' listener makes it flow.
    (socket as { readableFlowing: boolean | null }).readableFlowing = null;
    return socket;
  }
}

function onData(this: CarriedSocket, bytes: Buffer): void {
  this[transport].received(bytes);
}

function onEnd(this: CarriedSocket): void {
  // 'close' follows, which settles everything.
  if (!this.destroyed) this[transport].endedByClient();
}

function onClose(this: CarriedSocket): void {
  this[transport].closed();
}

function ignoreError(): void {}

/** Makes a transport of a connection from another process. */
export function transportOf(handle: PassedHandle): Transport {
  return rawConnection(handle) ?? new StreamTransport(attach(handle));
}
