/**
 * Parses HTTP/1.1 requests, independent of sockets: bytes are pushed in and events pulled out, with the same result
 * however the bytes are cut.
 *
 * push(bytes); while ((event = next()) !== 'need-data') ...
 *
 * 'head' (the fields below describe the request), then 'data' and 'end' when it has a body, then the next 'head';
 * 'refused' is final. Except for one string per chunk of heads, it allocates nothing that the application does not see.
 *
 * The pushed bytes may be in a buffer that is reused afterwards (`isLent`): `own()` must be called before that, and
 * kept pieces of `data` must be copied while `isLent` is true.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import { ChunkedDecoder } from './chunked.ts';
import type { FieldBlock } from './field-block.ts';
import type { Field } from './field-lines.ts';
import { HeadReader } from './head-reader.ts';
import type { HeadLimits } from './head-reader.ts';
import type { RequestLine } from './request-line.ts';

export interface RequestLimits extends HeadLimits {
  /** 0 is unlimited */
  maxBodyBytes: number;
}

export type RequestEvent = 'head' | 'data' | 'end' | 'need-data' | 'refused';

const nothing = Buffer.alloc(0);

export class RequestParser {
  readonly #limits: RequestLimits;
  readonly #head: HeadReader;
  #state: 'head' | 'length' | 'chunked' | 'refused' = 'head';
  #bytes: Buffer = nothing;
  #at = 0;
  #end = 0;
  /** the latin-1 text of #bytes from #textFrom on, made when a head is parsed */
  #text: string | undefined;
  #textFrom = 0;
  #left = 0;
  /** Whether the last pushed bytes are in a buffer that its owner will reuse. */
  isLent = false;
  #decoder: ChunkedDecoder | undefined;
  /** of the last 'data' event */
  data: Buffer = nothing;
  /** of the last 'end' event */
  trailers: Field[] | undefined;
  /** of the 'refused' event */
  fault: ErrorCode = 'BAD_REQUEST_LINE';

  constructor(limits: RequestLimits) {
    this.#limits = limits;
    this.#head = new HeadReader(limits);
  }

  /** Of the request of the last 'head'. */
  get line(): RequestLine {
    return this.#head.line;
  }
  /** Of the request of the last 'head'. */
  get block(): FieldBlock {
    return this.#head.block;
  }

  /** pushed bytes that were not consumed */
  get buffered(): number {
    return this.#end - this.#at;
  }

  /** Whether part of a request head, or of an empty line before it, was consumed. */
  get isMidHead(): boolean {
    return this.#state === 'head' && this.#head.isMidHead;
  }

  /** Bytes of the body that have not arrived; Infinity for a chunked one; 0 between requests. */
  get bodyBytesLeft(): number {
    return this.#state === 'length' ? this.#left : this.#state === 'chunked' ? Infinity : 0;
  }

  /** Appends the first `length` bytes of `bytes`. */
  push(bytes: Buffer, length = bytes.length, isLent = false): void {
    if (this.#at >= this.#end) {
      this.#bytes = bytes;
      this.#end = length;
      this.isLent = isLent;
    } else {
      this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at, this.#end), bytes.subarray(0, length)]);
      this.#end = this.#bytes.length;
      this.isLent = false;
    }
    this.#at = 0;
    this.#text = undefined;
  }

  /** Copies the remaining bytes, since the owner of the buffer is about to reuse it. */
  own(): void {
    if (this.#at < this.#end) this.push(Buffer.from(this.takeRest()));
  }

  /** Removes and returns the bytes that were not consumed, for a new owner of the connection. It does not copy them. */
  takeRest(): Buffer {
    const rest = this.#bytes.subarray(this.#at, this.#end);
    this.#needData();
    return rest;
  }

  /** The last request is over: drops its large parts before the connection becomes idle. */
  forget(): void {
    this.data = nothing;
    this.trailers = undefined;
    if (this.buffered === 0) this.#head.forget();
  }

  /** Handles the end of input: an error code within a request, undefined between requests. */
  finish(): ErrorCode | undefined {
    if (this.#state === 'refused') return this.fault;
    if (this.#state !== 'head') return 'BODY_CUT';
    return this.isMidHead ? 'HEAD_CUT' : undefined;
  }

  next(): RequestEvent {
    if (this.#state === 'refused') return 'refused';
    if (this.#state === 'length' && this.#left === 0) return this.#endBody(undefined);
    if (this.#at >= this.#end) return this.#needData();
    switch (this.#state) {
      case 'head':
        return this.#readHead();
      case 'length':
        return this.#readLength();
      case 'chunked':
        return this.#readChunked();
    }
  }

  #needData(): 'need-data' {
    this.#bytes = nothing;
    this.#at = 0;
    this.#end = 0;
    this.#text = undefined;
    return 'need-data';
  }

  #refuse(fault: ErrorCode): 'refused' {
    this.#state = 'refused';
    this.fault = fault;
    this.#needData();
    return 'refused';
  }

  #readHead(): RequestEvent {
    if (this.#text === undefined) {
      if (this.#isRepeatedBeforeBody()) return this.#startBody();
      this.#text = this.#bytes.toString('latin1', this.#at, this.#end);
      this.#textFrom = this.#at;
    }
    const event = this.#head.next(this.#text, this.#at - this.#textFrom);
    if (event === 'need-data') return this.#needData();
    if (event === 'refused') return this.#refuse(this.#head.fault);
    this.#at = this.#textFrom + this.#head.at;
    return this.#startBody();
  }

  /**
   * Consumes a head that is identical to the last one. If a body follows, as it did the last time, the body is not
   * converted to text.
   */
  #isRepeatedBeforeBody(): boolean {
    const { lastText, block, isMidHead } = this.#head;
    const to = this.#at + lastText.length;
    if (lastText === '' || isMidHead || block.framing.body === 'none' || to > this.#end) return false;
    if (this.#bytes.toString('latin1', this.#at, to) !== lastText) return false;
    this.#at = to;
    return true;
  }

  /** After a complete head, its framing decides what follows. */
  #startBody(): RequestEvent {
    const { framing } = this.block;
    this.trailers = undefined;
    if (framing.body === 'none') return 'head';
    if (framing.body === 'length') {
      const { maxBodyBytes } = this.#limits;
      if (maxBodyBytes > 0 && framing.length > maxBodyBytes) return this.#refuse('BODY_TOO_LARGE');
      this.#state = 'length';
      this.#left = framing.length;
    } else {
      this.#state = 'chunked';
      this.#decoder = new ChunkedDecoder(this.#limits);
    }
    return 'head';
  }

  #endBody(trailers: Field[] | undefined): 'end' {
    this.#state = 'head';
    this.#decoder = undefined;
    this.trailers = trailers;
    this.#text = undefined;
    return 'end';
  }

  #readLength(): RequestEvent {
    const to = Math.min(this.#end, this.#at + this.#left);
    this.data = this.#bytes.subarray(this.#at, to);
    this.#left -= to - this.#at;
    this.#at = to;
    return 'data';
  }

  #readChunked(): RequestEvent {
    const decoder = this.#decoder!;
    const event = decoder.next(this.#bytes, this.#at, this.#end);
    this.#at = decoder.at;
    switch (event) {
      case 'need-data':
        return this.#needData();
      case 'refused':
        return this.#refuse(decoder.fault);
      case 'end':
        return this.#endBody(decoder.trailers);
      case 'data':
        this.data = decoder.data;
        return 'data';
    }
  }
}
