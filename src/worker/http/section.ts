/**
 * Collects the bytes of a section (request head or trailers) up to the empty line that ends it.
 *
 * The first fault in byte order is reported, however the bytes are cut: a bad byte, or an exceeded limit. So the same
 * bytes have the same result whether they arrive at once or one at a time.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import { badHeadByte } from './grammar.ts';

export interface SectionLimits {
  /** longest first line, without its CRLF; Infinity when the first line is like any other */
  maxFirstLineBytes: number;
  /** most bytes after the first line */
  maxBytes: number;
  tooLongLine: ErrorCode;
  tooLarge: ErrorCode;
}

const end = '\r\n\r\n';

export class Section {
  readonly #limits: SectionLimits;
  #pieces: string[] = [];
  /** bytes collected so far */
  #length = 0;
  /** the last bytes, at most three, since the end may be split between two pieces */
  #tail: string;
  /** the length of the first line once its CRLF was found */
  #firstLine = -1;
  readonly #before: string;
  fault: ErrorCode | undefined;

  /** `before` is the text before the section: trailers follow the CRLF of the last chunk line. */
  constructor(limits: SectionLimits, before = '') {
    this.#limits = limits;
    this.#before = before;
    this.#tail = before;
    if (before !== '') this.#firstLine = 0;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** Appends text. Returns how much of it belongs to the section when that is complete, -1 when it is not. */
  push(text: string): number {
    const seen = this.#tail + text;
    const offset = this.#tail.length;
    const endAt = seen.indexOf(end);
    const taken = endAt < 0 ? text.length : endAt + end.length - offset;
    this.fault = undefined;
    const faultAt = this.#findFault(seen, offset, taken);
    if (faultAt >= 0 && faultAt < taken) return -1;
    this.fault = undefined;
    this.#pieces.push(taken === text.length ? text : text.slice(0, taken));
    this.#length += taken;
    this.#tail = seen.slice(0, offset + taken).slice(-3);
    return endAt < 0 ? -1 : taken;
  }

  /** Returns the section without the empty line that ends it (its last line with CRLF), and starts the next one. */
  take(): string {
    const whole = this.#pieces.length === 1 ? this.#pieces[0]! : this.#pieces.join('');
    this.#pieces = [];
    this.#length = 0;
    this.#tail = this.#before;
    this.#firstLine = this.#before === '' ? -1 : 0;
    return whole.slice(0, whole.length - 2);
  }

  /** Returns the index of the first fault in the pushed text, -1 for none, and sets `fault`. */
  #findFault(seen: string, offset: number, taken: number): number {
    let at = -1;
    const note = (position: number, code: ErrorCode) => {
      if (at < 0 || position < at) {
        at = position;
        this.fault = code;
      }
    };
    // Of the earlier text only a final CR matters here: the rest has been checked.
    const carried = seen[offset - 1] === '\r' ? 1 : 0;
    const bad = badHeadByte.exec(seen.slice(offset - carried));
    // Whether a CR is bare is known only with the next byte.
    if (bad) note(bad.index - carried + (bad[0] === '\r' ? 1 : 0), 'BAD_BYTE');
    if (this.#firstLine < 0) {
      const lineEnd = seen.indexOf('\r\n');
      const lineLength = lineEnd < 0 ? -1 : this.#length + lineEnd - offset;
      const limitAt = this.#limits.maxFirstLineBytes - this.#length;
      if (lineLength < 0 ? taken > limitAt + 1 : lineLength > this.#limits.maxFirstLineBytes) {
        note(limitAt + 1, this.#limits.tooLongLine);
      }
      if (lineLength >= 0) this.#firstLine = lineLength;
    }
    if (this.#firstLine >= 0) {
      const limitAt = this.#firstLine + end.length - this.#before.length + this.#limits.maxBytes - this.#length;
      if (taken > limitAt) note(limitAt, this.#limits.tooLarge);
    }
    return at;
  }
}
