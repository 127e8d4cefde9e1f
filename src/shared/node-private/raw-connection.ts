/**
 * A connection on libuv's handle, without a net.Socket and its stream states, which halves the memory of an idle
 * connection. All connections share one read buffer. A write is one call into libuv, which tries write(2) immediately
 * and reports whether the kernel took everything.
 */
import net from 'node:net';
import type { Detached } from './moving.ts';
import { canReset } from './reset.ts';
import type { StreamHandle, StreamRequest, StreamWrap } from './stream-wrap.ts';
import { noOwner } from './transport.ts';
import type { End, Transport, TransportOwner } from './transport.ts';

/** UV_EOF of uv.h, which is no errno */
const endOfFile = -4095;
const sharedBuffer = Buffer.allocUnsafeSlow(65_536);

/**
 * The connection is a property of the handle, so that all handles share one callback: a closure per connection would
 * stay in memory while it is idle.
 */
const connection = Symbol('connection');

interface ConnectedHandle extends StreamHandle {
  [connection]: RawConnection;
}

/** The request that libuv needs until a write is done, with its connection. */
interface WriteRequest extends StreamRequest {
  connection?: RawConnection;
  data?: string | readonly Buffer[];
}

function onRead(this: ConnectedHandle): void {
  this[connection].read();
}

function onWritten(this: WriteRequest, status: number): void {
  this.connection!.wrote(status);
}

function onShutdown(this: WriteRequest, status: number): void {
  this.connection!.shutDown(status);
}

/** The bytes are delivered through the stream; Node calls this as a method of the socket. */
function pushCopy(this: net.Socket, length: number): boolean {
  return this.push(Buffer.from(sharedBuffer.subarray(0, length)));
}

/** a request object that was not needed after all, to be reused by the next write */
let spare: WriteRequest | undefined;

export class RawConnection implements Transport {
  readonly isEncrypted = false;
  readonly #wrap: StreamWrap;
  /** undefined once the connection is closed or has become a socket */
  #handle: StreamHandle | undefined;
  #owner = noOwner;
  /** 'ended': the client has shut down its side */
  #reading: 'paused' | 'reading' | 'ended' = 'paused';
  /** 'ending': FIN is to be sent; 'ended': it was sent */
  #writing: 'open' | 'ending' | 'ended' = 'open';

  /** Reading starts with `setOwner`. */
  constructor(handle: StreamHandle, wrap: StreamWrap) {
    this.#handle = handle;
    this.#wrap = wrap;
    (handle as ConnectedHandle)[connection] = this;
    handle.onread = onRead;
    handle.useUserBuffer(sharedBuffer);
  }

  setOwner(owner: TransportOwner): void {
    this.#owner = owner;
    this.resume();
  }

  get bytesRead(): number {
    return this.#handle?.bytesRead ?? 0;
  }
  get localEnd(): End {
    const end: End = {};
    this.#handle?.getsockname?.(end);
    return end;
  }
  get remoteEnd(): End {
    const end: End = {};
    this.#handle?.getpeername?.(end);
    return end;
  }

  // ---- reading

  get isPaused(): boolean {
    return this.#reading === 'paused';
  }
  get hasEnded(): boolean {
    return this.#reading === 'ended';
  }

  pause(): void {
    if (this.#reading !== 'reading') return;
    this.#reading = 'paused';
    this.#handle?.readStop();
  }

  resume(): void {
    if (this.#reading !== 'paused' || this.#handle === undefined) return;
    this.#reading = 'reading';
    if (this.#handle.readStart() !== 0) this.destroy();
  }

  /** @internal */
  read(): void {
    const length = this.#wrap.streamBaseState[this.#wrap.kReadBytesOrError]!;
    if (length > 0) this.#owner.receive(sharedBuffer, length);
    else if (length === endOfFile) this.#end();
    // 0 is no error, but a read without data.
    else if (length < 0) this.destroy();
  }

  #end(): void {
    this.#reading = 'ended';
    this.#handle?.readStop();
    this.#owner.ended();
    if (this.#writing === 'ended') this.destroy();
  }

  // ---- writing

  write(data: string | readonly Buffer[]): boolean {
    const handle = this.#handle;
    if (handle === undefined) return false;
    const request: WriteRequest = spare ?? new this.#wrap.WriteWrap();
    spare = undefined;
    const errno = dispatch(handle, request, data);
    if (errno !== 0) {
      this.destroy();
      return false;
    }
    if (this.#wrap.streamBaseState[this.#wrap.kLastWriteWasAsync] === 0) {
      spare = request;
      return true;
    }
    request.connection = this;
    request.data = data;
    request.oncomplete = onWritten;
    return false;
  }

  /** @internal */
  wrote(status: number): void {
    if (this.#handle === undefined) return;
    if (status < 0) this.destroy();
    else this.#owner.written();
  }

  end(): void {
    if (this.isEnded || this.#handle === undefined) return;
    this.#writing = 'ending';
    const request: WriteRequest = new this.#wrap.ShutdownWrap();
    request.connection = this;
    request.oncomplete = onShutdown;
    if (this.#handle.shutdown(request) !== 0) this.destroy();
  }

  /** @internal */
  shutDown(status: number): void {
    this.#writing = 'ended';
    if (status < 0 || this.hasEnded) this.destroy();
  }

  get isEnded(): boolean {
    return this.#writing !== 'open';
  }

  // ---- ending

  get isDestroyed(): boolean {
    return this.#handle === undefined;
  }

  destroy(): void {
    this.#takeHandle()?.close(this.#closed);
  }

  reset(): void {
    // A unix socket cannot be reset, nor can a connection whose FIN is being sent.
    if (this.isEnded || !canReset(this.#handle)) {
      this.destroy();
      return;
    }
    const handle = this.#takeHandle()!;
    if (handle.reset!(this.#closed) !== 0) handle.close(this.#closed);
  }

  /** Created on demand: a stored closure would cost memory in each idle connection. */
  get #closed(): () => void {
    return () => {
      const owner = this.#owner;
      this.#owner = noOwner;
      owner.closed();
    };
  }

  #takeHandle(): StreamHandle | undefined {
    const handle = this.#handle;
    this.#handle = undefined;
    return handle;
  }

  // ---- leaving the loop

  detach(): Detached | undefined {
    const handle = this.#handle;
    if (handle === undefined || this.isEnded || handle.writeQueueSize !== 0) return undefined;
    this.pause();
    this.#owner = noOwner;
    return { handle, rest: undefined };
  }

  intoSocket(rest?: Buffer): net.Socket {
    this.pause();
    const handle = this.#takeHandle();
    if (handle === undefined) return new net.Socket().destroy();
    const options = { handle, allowHalfOpen: true, onread: { buffer: sharedBuffer, callback: pushCopy } };
    const socket = new net.Socket({ ...options, readable: true, writable: true });
    socket.once('close', this.#closed);
    if (rest !== undefined && rest.length > 0) socket.unshift(rest);
    return socket;
  }
}

function dispatch(handle: StreamHandle, request: StreamRequest, data: string | readonly Buffer[]): number {
  if (typeof data === 'string') return handle.writeLatin1String(request, data);
  return data.length === 1 ? handle.writeBuffer(request, data[0]!) : handle.writev(request, data, true);
}
