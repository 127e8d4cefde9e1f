/**
 * Puts the body of one response into the output: framed, checked against Content-Length, and gathered into larger
 * chunks by option.
 */
import { Buffer } from 'node:buffer';
import type { Chunk } from '../../shared/application.ts';
import type { BodyFraming } from '../http/response-head.ts';
import type { Output } from './output.ts';

export interface BodyFacts {
  framing: BodyFraming;
  /** the Content-Length; undefined when none is sent */
  length: number | undefined;
  /** smaller chunks are gathered (option minimumChunkSize) */
  leastChunkBytes: number;
}

/** Up to this length, checking the characters costs less than a call into Node. */
const shortText = 48;

function byteLength(chunk: Chunk): number {
  if (typeof chunk !== 'string') return chunk.byteLength;
  const { length } = chunk;
  if (length > shortText) return Buffer.byteLength(chunk);
  for (let index = 0; index < length; index += 1) if (chunk.charCodeAt(index) > 0x7f) return Buffer.byteLength(chunk);
  return length;
}

/** The number of bytes of a complete body. */
export function totalLength(chunks: readonly Chunk[]): number {
  let total = 0;
  for (let index = 0; index < chunks.length; index += 1) total += byteLength(chunks[index]!);
  return total;
}

function latin1(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1');
}

/** Up to this size, copying costs less than a separate write after the head. */
const fewBytes = 4096;

/** Text is sent as UTF-8, which for ASCII equals the latin-1 of the output. */
export function putChunk(output: Output, chunk: Chunk, length = byteLength(chunk)): void {
  if (typeof chunk !== 'string') {
    if (length <= fewBytes) output.putText(latin1(chunk));
    else output.putBytes(chunk);
  } else if (length === chunk.length) output.putText(chunk);
  else output.putBytes(Buffer.from(chunk));
}

export class ResponseBody {
  readonly framing: BodyFraming;
  readonly #output: Output;
  readonly #leastChunkBytes: number;
  #left: number;
  #gathered: Chunk[] | undefined;
  #gatheredBytes = 0;
  /** bytes beyond Content-Length, which are dropped */
  surplusBytes = 0;

  constructor(output: Output, { framing, length, leastChunkBytes }: BodyFacts) {
    this.framing = framing;
    this.#output = output;
    this.#left = framing === 'length' && length !== undefined ? length : Infinity;
    this.#leastChunkBytes = framing === 'chunked' ? leastChunkBytes : 0;
  }

  /** Whether further bytes would be sent; false for HEAD, and beyond Content-Length. */
  get wantsMore(): boolean {
    return this.framing !== 'none' && this.surplusBytes === 0;
  }

  /** Sends a piece, or gathers it. */
  send(chunk: Chunk): void {
    if (this.#leastChunkBytes === 0) {
      this.put(chunk);
      return;
    }
    this.#gathered ??= [];
    this.#gathered.push(chunk);
    this.#gatheredBytes += byteLength(chunk);
    if (this.#gatheredBytes >= this.#leastChunkBytes) this.#putGathered();
  }

  /** Sends a piece without gathering it. */
  put(chunk: Chunk): void {
    if (this.framing === 'none') return;
    const length = byteLength(chunk);
    if (length === 0) return;
    if (length > this.#left) {
      this.#putUpToLength(chunk, length);
      return;
    }
    this.#left -= length;
    if (this.framing === 'chunked') this.#output.putText(`${length.toString(16)}\r\n`);
    putChunk(this.#output, chunk, length);
    if (this.framing === 'chunked') this.#output.putText('\r\n');
  }

  /** Ends the body. Returns how many bytes it is shorter than its Content-Length. */
  end(): number {
    this.#putGathered();
    if (this.framing === 'chunked') this.#output.putText('0\r\n\r\n');
    return this.framing === 'length' ? this.#left : 0;
  }

  /** Drops the surplus, which a client would take for the next response. */
  #putUpToLength(chunk: Chunk, length: number): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    this.#output.putBytes(bytes.subarray(0, this.#left));
    this.surplusBytes += length - this.#left;
    this.#left = 0;
  }

  #putGathered(): void {
    if (this.#gathered === undefined) return;
    const whole = Buffer.concat(
      this.#gathered.map((chunk) => (typeof chunk === 'string' ? Buffer.from(chunk) : chunk)),
    );
    this.#gathered = undefined;
    this.#gatheredBytes = 0;
    this.put(whole);
  }
}
