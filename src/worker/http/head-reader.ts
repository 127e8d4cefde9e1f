/**
 * Reads request heads: text in, request line and fields out.
 *
 * It tries three ways in order. A head that is identical to the previous one is not parsed. A head that is complete and
 * clean is parsed at once. Anything else (empty lines, a part, a fault) is collected, and the first fault reported. All
 * ways have the same result.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import { noFields, readFieldBlock, sharedBlock } from './field-block.ts';
import type { FieldBlock } from './field-block.ts';
import { badHeadByte } from './grammar.ts';
import { parseRequestLine } from './request-line.ts';
import type { RequestLine } from './request-line.ts';
import { Section } from './section.ts';

export interface HeadLimits {
  urlLengthLimit: number;
  maxHeadBytes: number;
  maxHeaders: number;
}

export type HeadEvent = 'head' | 'need-data' | 'refused';

const noLine: RequestLine = {
  method: '',
  target: '',
  version: 'HTTP/1.1',
  path: '',
  query: '',
  authority: undefined,
};
const headEndMark = '\r\n\r\n';
const maxKeptText = 2048; // longer heads are not kept for recognition, to save memory in idle connections
/** Empty lines before a request line are ignored (RFC 9112 §2.2), up to a limit. */
const maxEmptyLines = 8;

export class HeadReader {
  readonly #limits: HeadLimits;
  /** collects a head that arrives in parts; created when first needed */
  #section: Section | undefined;
  /** the head that `line` and `block` were read from, empty line included; '' when it is not kept for recognition */
  #headText = '';
  #emptyLines = 0;
  #loneCr = false;
  /** whether the last head may be kept between requests: a slice of a text keeps the whole text in memory */
  #isKept = true;
  /** position in the text after what the last call consumed */
  at = 0;
  fault: ErrorCode = 'BAD_REQUEST_LINE';
  readonly line: RequestLine = { ...noLine };
  block: FieldBlock = noFields;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  /** Whether part of a head, or of an empty line before it, was consumed. */
  get isMidHead(): boolean {
    return this.#loneCr || this.#section?.isEmpty === false;
  }

  /** The last head as received, if a repetition of it would be recognised; otherwise ''. */
  get lastText(): string {
    return this.#headText;
  }

  /** The request is over: drops large parts of its head. */
  forget(): void {
    if (this.#isKept) return;
    if (this.block.text === undefined) this.block = noFields;
    Object.assign(this.line, noLine);
    this.#isKept = true;
  }

  /** Continues in `text` (latin-1) at `from`; after 'need-data' all of it has been consumed. */
  next(text: string, from: number): HeadEvent {
    if (!this.isMidHead) {
      if (this.#isRepeated(text, from)) {
        this.at = from + this.#headText.length;
        return 'head';
      }
      const headEnd = text.indexOf(headEndMark, from);
      if (headEnd > from) {
        const event = this.#readWhole(text, from, headEnd);
        if (event !== undefined) return event;
      }
    }
    return this.#readCarefully(text, from);
  }

  #isRepeated(text: string, from: number): boolean {
    const { length } = this.#headText;
    if (length === 0) return false;
    // Comparing whole strings is several times faster than startsWith().
    return from === 0 && text.length === length ? text === this.#headText : text.startsWith(this.#headText, from);
  }

  /** Returns undefined when the head is not clean; the slower way then finds the first fault. */
  #readWhole(text: string, from: number, headEnd: number): HeadEvent | undefined {
    const lineEnd = text.indexOf('\r\n', from);
    const { urlLengthLimit, maxHeadBytes } = this.#limits;
    if (lineEnd === from || lineEnd - from > urlLengthLimit || headEnd - lineEnd > maxHeadBytes) return undefined;
    const fieldText = text.slice(lineEnd + 2, headEnd + 2);
    const repeated = fieldText === this.block.text;
    if (badHeadByte.test(repeated ? text.slice(from, lineEnd + 2) : text.slice(from, headEnd + 2))) return undefined;
    this.at = headEnd + headEndMark.length;
    const keep = text.length <= maxKeptText;
    const event = this.#parse(text.slice(from, lineEnd), fieldText, keep);
    this.#headText = keep ? text.slice(from, this.at) : '';
    return event;
  }

  #readCarefully(text: string, from: number): HeadEvent {
    this.#section ??= new Section({
      maxFirstLineBytes: this.#limits.urlLengthLimit,
      maxBytes: this.#limits.maxHeadBytes,
      tooLongLine: 'URI_TOO_LONG',
      tooLarge: 'HEAD_TOO_LARGE',
    });
    const section = this.#section;
    this.line.method = '';
    this.#headText = '';
    this.at = text.length;
    let at = from;
    if (section.isEmpty) {
      if (this.#loneCr && text.charCodeAt(at) !== 0x0a) return this.#refuse('BAD_BYTE');
      while (this.#loneCr || text.startsWith('\r\n', at)) {
        at += this.#loneCr ? 1 : 2;
        this.#loneCr = false;
        this.#emptyLines += 1;
        if (this.#emptyLines > maxEmptyLines) return this.#refuse('BAD_REQUEST_LINE');
      }
      if (at === text.length) return 'need-data';
      if (at === text.length - 1 && text.charCodeAt(at) === 0x0d) {
        this.#loneCr = true;
        return 'need-data';
      }
    }
    const taken = section.push(at === 0 ? text : text.slice(at));
    if (section.fault !== undefined) return this.#refuse(section.fault);
    if (taken < 0) return 'need-data';
    this.at = at + taken;
    const head = section.take();
    const lineEnd = head.indexOf('\r\n');
    return this.#parse(head.slice(0, lineEnd), head.slice(lineEnd + 2), head.length <= maxKeptText);
  }

  /** `keep`: whether the field text may be kept, which keeps the text that it is a slice of in memory. */
  #parse(line: string, fieldText: string, keep: boolean): HeadEvent {
    this.#emptyLines = 0;
    this.#isKept = keep;
    const lineFault = parseRequestLine(line, this.line);
    if (lineFault !== undefined) return this.#refuse(lineFault);
    const { version } = this.line;
    if (fieldText !== this.block.text || version !== this.block.version) {
      const read = keep && this.block === noFields ? sharedBlock : readFieldBlock;
      const block = read(fieldText, version, this.#limits.maxHeaders);
      if (typeof block === 'string') return this.#refuse(block);
      this.block = keep ? block : { ...block, text: undefined };
    }
    return 'head';
  }

  #refuse(fault: ErrorCode): 'refused' {
    this.fault = fault;
    return 'refused';
  }
}
