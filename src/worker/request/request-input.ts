/**
 * `wsgi.input`: the body of one request as the application reads it. The connection delivers decoded bytes. When a
 * small buffer is full, it stops reading from the client until the application reads.
 */
import type { Socket } from 'node:net';
import type { Input } from '../../shared/application.ts';
import { EvyError } from '../../shared/errors.ts';

/** The source of a body's bytes. */
export interface BodySource {
  /** The application has read bytes, so there is room for more. */
  bodyWanted(): void;
}

/** The operations of the request that its input uses. */
export interface InputOwner {
  /** The application reads for the first time, or asked for it: `100 Continue` may have to be sent. */
  sendContinue(headers: ReadonlyArray<readonly [string, string]>): void;
  takeSocket(): Socket;
  readonly signal: AbortSignal;
  readonly requestId: string;
}

const highWaterBytes = 65_536;
/** a limit of pieces: each costs some hundred bytes, so chunks of one byte must not fill the memory */
const highWaterPieces = 1024;
const nothing = Buffer.alloc(0);
const noChunks: Buffer[] = [];
const noHeaders: ReadonlyArray<readonly [string, string]> = [];
const lf = 0x0a;

export class RequestInput implements Input {
  readonly #owner: InputOwner;
  readonly #source: BodySource;
  #state: 'open' | 'ended' | 'failed';
  #chunks = noChunks;
  #buffered = 0;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #continue: 'due' | 'sent' | 'not-asked';
  #continueHeaders = noHeaders;

  constructor(owner: InputOwner, source: BodySource, hasBody: boolean, expectsContinue: boolean) {
    this.#owner = owner;
    this.#source = source;
    this.isExpected = hasBody;
    this.#state = hasBody ? 'open' : 'ended';
    this.#continue = expectsContinue ? 'due' : 'not-asked';
  }

  /** aborted when the client disconnects; `env['evy.signal']` */
  get signal(): AbortSignal {
    return this.#owner.signal;
  }
  /** `env['evy.request_id']` */
  get requestId(): string {
    return this.#owner.requestId;
  }
  /** @internal whether the request has a body at all */
  readonly isExpected: boolean;
  /** @internal whether more may be delivered now */
  get hasRoom(): boolean {
    return this.#buffered < highWaterBytes && this.#chunks.length < highWaterPieces;
  }
  /** @internal whether the client still waits for `100 Continue` */
  get owesContinue(): boolean {
    return this.#continue === 'due' && this.#state === 'open' && this.#buffered === 0;
  }

  /** @internal what reads reject with */
  get fault(): Error | undefined {
    return this.#error;
  }

  /** @internal */
  deliver(bytes: Buffer): void {
    if (this.#chunks === noChunks) this.#chunks = [];
    this.#chunks.push(bytes);
    this.#buffered += bytes.length;
    this.#notify();
  }
  /** @internal */
  finish(): void {
    if (this.#state === 'open') this.#state = 'ended';
    this.#notify();
  }
  /** @internal The body will never be complete: reads reject with `error` after all received bytes were read. */
  fail(error: Error): void {
    if (this.#state !== 'open') return;
    this.#state = 'failed';
    this.#error = error;
    this.#notify();
  }

  read(size = -1): Promise<Buffer> {
    const most = size < 0 ? Infinity : size;
    // The usual body arrived in one piece, so nothing is awaited or copied.
    if (this.#chunks.length === 1 && (this.#state === 'ended' || this.#buffered >= most) && most > 0) {
      return Promise.resolve(this.#shift(most));
    }
    return this.#read(most);
  }

  async #read(most: number): Promise<Buffer> {
    const parts = await this.#pullUpTo(most);
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  async readline(size?: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = size === undefined || size < 0 ? Infinity : size; left > 0; left -= parts.at(-1)!.length) {
      const part = await this.#pull(left, 'line');
      if (part === undefined) break;
      parts.push(part);
      if (part.at(-1) === lf) break;
    }
    return Buffer.concat(parts);
  }

  async readlines(hint?: number): Promise<Buffer[]> {
    const lines: Buffer[] = [];
    let length = 0;
    for (let line = await this.readline(); line.length > 0; line = await this.readline()) {
      lines.push(line);
      length += line.length;
      if (hint !== undefined && hint > 0 && length >= hint) break;
    }
    return lines;
  }

  async discard(): Promise<void> {
    while ((await this.#pull(Infinity)) !== undefined);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void, undefined> {
    for (let part = await this.#pull(Infinity); part !== undefined; part = await this.#pull(Infinity)) yield part;
  }

  setHundredContinueResponseHeaders(headers: ReadonlyArray<readonly [string, string]>): void {
    this.#continueHeaders = headers;
  }

  sendHundredContinueResponse(): void {
    if (this.#continue === 'not-asked') return;
    const before = this.#continue;
    this.#continue = 'sent';
    try {
      this.#owner.sendContinue(this.#continueHeaders);
    } catch (error) {
      // It is still to be sent: the client may or may not send its body, so the connection cannot persist.
      this.#continue = before;
      throw error;
    }
  }

  takeSocket(): Socket {
    return this.#owner.takeSocket();
  }

  /** Removes the oldest bytes, at most `most`. */
  #shift(most: number): Buffer {
    const first = this.#chunks[0]!;
    const part = first.length <= most ? first : first.subarray(0, most);
    if (part === first) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(most);
    this.#buffered -= part.length;
    return part;
  }

  async #pullUpTo(size: number): Promise<Buffer[]> {
    const parts: Buffer[] = [];
    for (let left = size; left > 0; left -= parts.at(-1)!.length) {
      const part = await this.#pull(left);
      if (part === undefined) break;
      parts.push(part);
    }
    return parts.length === 0 ? [nothing] : parts;
  }

  /**
   * Waits for bytes and removes at most `most` of them, for a line up to and including the next LF; undefined is the
   * end. The check and the removal are in one turn of the event loop, so that overlapping reads get different bytes.
   * @throws the error that cut the body short
   */
  async #pull(most: number, unit?: 'line'): Promise<Buffer | undefined> {
    while (this.#buffered === 0) {
      if (this.#state === 'ended') return undefined;
      if (this.#state === 'failed') throw this.#error ?? new EvyError('BODY_CUT', 'the request body was cut short');
      const woken = new Promise<void>((resolve) => {
        const others = this.#wake;
        this.#wake = others === undefined ? resolve : () => (others(), resolve());
      });
      this.#source.bodyWanted();
      if (this.#continue === 'due') await this.#continueUnlessSent();
      await woken;
    }
    const lineEnd = unit === 'line' ? this.#chunks[0]!.indexOf(lf) : -1;
    return this.#shift(lineEnd < 0 ? most : Math.min(most, lineEnd + 1));
  }

  /**
   * Not needed if the client has begun to send anyway (RFC 9110 §10.1.1): bytes that arrived with the head are
   * delivered first.
   */
  async #continueUnlessSent(): Promise<void> {
    await Promise.resolve();
    if (this.owesContinue) this.sendHundredContinueResponse();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
