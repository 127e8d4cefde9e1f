/** Decodes the chunked transfer coding (RFC 9112 §7.1): bytes in, data out. Every CRLF must be exact. */
import type { ErrorCode } from '../../shared/errors.ts';
import { parseFields } from './field-lines.ts';
import type { Field, HeaderName } from './field-lines.ts';
import { chunkLine, chunkLineStart } from './grammar.ts';
import { Section } from './section.ts';

export type BodyEvent = 'data' | 'end' | 'need-data' | 'refused';

/** the longest chunk line, and the most extension bytes per body: these carry no data, so a flood of them is refused */
const maxLineBytes = 1024;
const maxExtensionBytes = 16_384;

const cr = 0x0d;
const lf = 0x0a;

export class ChunkedDecoder {
  #state: 'line' | 'data' | 'cr' | 'lf' | 'trailers' = 'line';
  #line = '';
  #left = 0;
  #extensionBytes = 0;
  #dataBytes = 0;
  readonly #trailerSection: Section;
  readonly #maxHeaders: number;
  readonly #maxBodyBytes: number;
  /** position after the bytes that the last call consumed */
  at = 0;
  /** the data of a 'data' event: a view of the input bytes */
  data: Buffer = Buffer.alloc(0);
  fault: ErrorCode = 'BAD_CHUNK';
  readonly trailers: Field[] = [];

  /** `maxBodyBytes` 0 is unlimited. */
  constructor(limits: { maxHeadBytes: number; maxHeaders: number; maxBodyBytes: number }) {
    this.#maxHeaders = limits.maxHeaders;
    this.#maxBodyBytes = limits.maxBodyBytes || Infinity;
    this.#trailerSection = new Section(
      {
        maxFirstLineBytes: Infinity,
        maxBytes: limits.maxHeadBytes,
        tooLongLine: 'TRAILERS_TOO_LARGE',
        tooLarge: 'TRAILERS_TOO_LARGE',
      },
      '\r\n',
    );
  }

  /** Returns the next event in `bytes` between `from` and `end`; `at` is the position after it. */
  next(bytes: Buffer, from: number, end = bytes.length): BodyEvent {
    this.at = from;
    while (this.at < end) {
      switch (this.#state) {
        case 'line': {
          const event = this.#readLine(bytes, end);
          if (event !== undefined) return event;
          break;
        }
        case 'data': {
          const to = Math.min(end, this.at + this.#left);
          this.data = bytes.subarray(this.at, to);
          this.#left -= to - this.at;
          this.at = to;
          if (this.#left === 0) this.#state = 'cr';
          return 'data';
        }
        case 'cr':
          if (bytes[this.at] !== cr) return 'refused';
          this.at += 1;
          this.#state = 'lf';
          break;
        case 'lf':
          if (bytes[this.at] !== lf) return 'refused';
          this.at += 1;
          this.#state = 'line';
          break;
        case 'trailers':
          return this.#readTrailers(bytes, end);
      }
    }
    return 'need-data';
  }

  /**
   * Reads the available part of a chunk line; returns undefined when the line is complete and the state has changed.
   */
  #readLine(bytes: Buffer, end: number): BodyEvent | undefined {
    const found = bytes.indexOf(lf, this.at);
    const lineEnd = found < end ? found : -1;
    const to = lineEnd < 0 ? end : lineEnd + 1;
    if (this.#line.length + to - this.at > maxLineBytes) return 'refused';
    this.#line += bytes.toString('latin1', this.at, to);
    this.at = to;
    if (lineEnd < 0) return chunkLineStart.test(this.#line) ? 'need-data' : 'refused';
    if (!this.#line.endsWith('\r\n')) return 'refused';
    const match = chunkLine.exec(this.#line.slice(0, -2));
    if (!match) return 'refused';
    this.#extensionBytes += this.#line.length - match[1]!.length - 2;
    if (this.#extensionBytes > maxExtensionBytes) return 'refused';
    this.#line = '';
    this.#left = Number.parseInt(match[1]!, 16);
    this.#state = this.#left > 0 ? 'data' : 'trailers';
    this.#dataBytes += this.#left;
    if (this.#dataBytes <= this.#maxBodyBytes) return undefined;
    // The chunk size is known before its data.
    this.fault = 'BODY_TOO_LARGE';
    return 'refused';
  }

  #readTrailers(bytes: Buffer, end: number): BodyEvent {
    const taken = this.#trailerSection.push(bytes.toString('latin1', this.at, end));
    if (taken < 0) {
      this.at = end;
      if (this.#trailerSection.fault === undefined) return 'need-data';
      this.fault = this.#trailerSection.fault;
      return 'refused';
    }
    this.at += taken;
    const names: HeaderName[] = [];
    if (!parseFields(this.#trailerSection.take(), 0, this.trailers, names)) {
      this.fault = 'BAD_HEADER';
      return 'refused';
    }
    // Framing fields in trailers have no legitimate use (RFC 9110 §6.5.1).
    if (names.some(({ special }) => special === 'content-length' || special === 'transfer-encoding')) {
      this.fault = 'BAD_TRAILER';
      return 'refused';
    }
    if (this.trailers.length > this.#maxHeaders) {
      this.fault = 'TRAILERS_TOO_LARGE';
      return 'refused';
    }
    return 'end';
  }
}
