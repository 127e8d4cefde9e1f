/**
 * HTTP/1.1 requests without sockets: bytes are pushed in, events are pulled out, the same whatever the cuts.
 *
 *   push(bytes); while ((event = next()) !== 'need-data') ...
 *
 * 'head' (the fields below describe the request), then 'data' and 'end' when it has a body, then the next 'head';
 * 'refused' is final. What the application does not see allocates nothing but one string per chunk of heads.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import { ChunkedDecoder } from './chunked.ts';
import { noFields, readFieldBlock } from './field-block.ts';
import type { FieldBlock } from './field-block.ts';
import type { Field } from './fields.ts';
import { badHeadByte } from './grammar.ts';
import { parseRequestLine } from './request-line.ts';
import type { RequestLine } from './request-line.ts';
import { Section } from './section.ts';

export interface RequestLimits {
  urlLengthLimit: number;
  maxHeadBytes: number;
  maxHeaders: number;
  /** 0 is unlimited */
  maxBodyBytes: number;
}

export type RequestEvent = 'head' | 'data' | 'end' | 'need-data' | 'refused';

const nothing = Buffer.alloc(0);
const noLine: RequestLine = {
  method: '',
  target: '',
  version: 'HTTP/1.1',
  path: '',
  query: '',
  authority: undefined,
};
const maxKeptText = 2048; // of a longer text nothing is kept between requests: an idle connection should hold little
/** Empty lines before a request line are ignored (RFC 9112 §2.2), but not a flood of them. */
const maxEmptyLines = 8;

export class RequestParser {
  readonly #limits: RequestLimits;
  readonly #section: Section;
  #state: 'head' | 'length' | 'chunked' | 'refused' = 'head';
  #bytes: Buffer = nothing;
  #at = 0;
  /** the latin-1 text of #bytes from #textFrom on, made when a head is looked for */
  #text: string | undefined;
  #textFrom = 0;
  #emptyLines = 0;
  #loneCr = false;
  #left = 0;
  #decoder: ChunkedDecoder | undefined;
  /** whether the last head may be kept between requests: what is a slice of a text holds all of it */
  #isKept = true;

  /** Of the request whose 'head' came last. */
  readonly line: RequestLine = { ...noLine };
  block: FieldBlock = noFields;
  /** of the last 'data' event */
  data: Buffer = nothing;
  /** of the last 'end' event */
  trailers: Field[] | undefined;
  /** of the 'refused' event */
  fault: ErrorCode = 'BAD_REQUEST_LINE';

  constructor(limits: RequestLimits) {
    this.#limits = limits;
    this.#section = new Section({
      maxFirstLineBytes: limits.urlLengthLimit,
      maxBytes: limits.maxHeadBytes,
      tooLongLine: 'URI_TOO_LONG',
      tooLarge: 'HEAD_TOO_LARGE',
    });
  }

  /** bytes pushed and not consumed yet */
  get buffered(): number {
    return this.#bytes.length - this.#at;
  }

  /** Whether part of a request head was consumed. */
  get isMidHead(): boolean {
    return this.#state === 'head' && !this.#section.isEmpty;
  }

  /** Bytes of the body that are still to come; Infinity for a chunked one. 0 between requests. */
  get bodyBytesLeft(): number {
    return this.#state === 'length' ? this.#left : this.#state === 'chunked' ? Infinity : 0;
  }

  push(bytes: Buffer): void {
    this.#bytes = this.#at >= this.#bytes.length ? bytes : Buffer.concat([this.#bytes.subarray(this.#at), bytes]);
    this.#at = 0;
    this.#text = undefined;
  }

  /** Copies what is left: the bytes are about to be reused by whoever pushed them. */
  own(): void {
    if (this.buffered > 0) this.push(Buffer.from(this.takeRest()));
  }

  /** Takes out the bytes that were pushed and not consumed: for whoever takes the connection over. */
  takeRest(): Buffer {
    const rest = this.#bytes.subarray(this.#at);
    this.#bytes = nothing;
    this.#at = 0;
    this.#text = undefined;
    return rest;
  }

  /** Nobody asks for the last request any more: what was large of it does not wait for the next one. */
  forget(): void {
    this.data = nothing;
    this.trailers = undefined;
    if (this.#isKept || this.buffered > 0) return;
    if (this.block.text === undefined) this.block = noFields;
    Object.assign(this.line, noLine);
  }

  /** What the end of input means here: nothing between requests, a fault within one. */
  finish(): ErrorCode | undefined {
    if (this.#state === 'refused') return this.fault;
    if (this.#state !== 'head') return 'BODY_CUT';
    return this.#section.isEmpty ? undefined : 'HEAD_CUT';
  }

  next(): RequestEvent {
    if (this.#state === 'refused') return 'refused';
    if (this.#state === 'length' && this.#left === 0) return this.#endBody(undefined);
    if (this.#at >= this.#bytes.length) return this.#needData();
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
    this.#text = undefined;
    return 'need-data';
  }

  #refuse(fault: ErrorCode): 'refused' {
    this.#state = 'refused';
    this.fault = fault;
    this.takeRest();
    return 'refused';
  }

  #readHead(): RequestEvent {
    if (this.#text === undefined) {
      this.#text = this.#bytes.toString('latin1', this.#at);
      this.#textFrom = this.#at;
    }
    const text = this.#text;
    let at = this.#at - this.#textFrom;
    if (this.#section.isEmpty) {
      if (this.#loneCr && text.charCodeAt(at) !== 0x0a) return this.#refuse('BAD_BYTE');
      while (this.#loneCr || text.startsWith('\r\n', at)) {
        at += this.#loneCr ? 1 : 2;
        this.#loneCr = false;
        this.#emptyLines += 1;
        if (this.#emptyLines > maxEmptyLines) return this.#refuse('BAD_REQUEST_LINE');
      }
      if (at === text.length) return this.#needData();
      if (at === text.length - 1 && text.charCodeAt(at) === 0x0d) {
        this.#loneCr = true;
        return this.#needData();
      }
      const headEnd = text.indexOf('\r\n\r\n', at);
      if (headEnd >= 0) {
        const event = this.#readWholeHead(text, at, headEnd);
        if (event !== undefined) return event;
      }
    }
    const taken = this.#section.push(at === 0 ? text : text.slice(at));
    this.line.method = '';
    if (this.#section.fault !== undefined) return this.#refuse(this.#section.fault);
    if (taken < 0) return this.#needData();
    this.#at = this.#textFrom + at + taken;
    const head = this.#section.take();
    const lineEnd = head.indexOf('\r\n');
    return this.#parseHead(head.slice(0, lineEnd), head.slice(lineEnd + 2), head.length <= maxKeptText);
  }

  /** The usual case: the head is whole and clean. Undefined when it is not: the careful way tells the first fault. */
  #readWholeHead(text: string, at: number, headEnd: number): RequestEvent | undefined {
    const lineEnd = text.indexOf('\r\n', at);
    const { urlLengthLimit, maxHeadBytes } = this.#limits;
    if (lineEnd - at > urlLengthLimit || headEnd - lineEnd > maxHeadBytes) return undefined;
    const fieldText = text.slice(lineEnd + 2, headEnd + 2);
    const repeated = fieldText === this.block.text;
    if (badHeadByte.test(repeated ? text.slice(at, lineEnd + 2) : text.slice(at, headEnd + 2))) return undefined;
    this.#at = this.#textFrom + headEnd + 4;
    return this.#parseHead(text.slice(at, lineEnd), fieldText, text.length <= maxKeptText);
  }

  /** `keep`: whether the field text may be kept; it holds the text that it is a slice of. */
  #parseHead(line: string, fieldText: string, keep: boolean): RequestEvent {
    this.#emptyLines = 0;
    this.#isKept = keep;
    const lineFault = parseRequestLine(line, this.line);
    if (lineFault !== undefined) return this.#refuse(lineFault);
    const { version } = this.line;
    if (fieldText !== this.block.text || version !== this.block.version) {
      const block = readFieldBlock(fieldText, version, this.#limits.maxHeaders);
      if (typeof block === 'string') return this.#refuse(block);
      this.block = keep ? block : { ...block, text: undefined };
    }
    const { framing } = this.block;
    this.trailers = undefined;
    if (framing.body === 'length') {
      const { maxBodyBytes } = this.#limits;
      if (maxBodyBytes > 0 && framing.length > maxBodyBytes) return this.#refuse('BODY_TOO_LARGE');
      this.#state = 'length';
      this.#left = framing.length;
    } else if (framing.body === 'chunked') {
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
    const to = Math.min(this.#bytes.length, this.#at + this.#left);
    this.data = this.#bytes.subarray(this.#at, to);
    this.#left -= to - this.#at;
    this.#at = to;
    return 'data';
  }

  #readChunked(): RequestEvent {
    const decoder = this.#decoder!;
    const event = decoder.next(this.#bytes, this.#at);
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
