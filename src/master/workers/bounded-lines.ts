/** Text that comes in pieces, as lines. One that is too long is left out and counted, and never kept whole. */

export interface TakenLines {
  readonly lines: string[];
  /** begun in this piece of text, and left out */
  readonly tooLong: number;
}

export class BoundedLines {
  readonly #longest: number;
  #rest = '';
  /** in the middle of one that is left out */
  #isSkipping = false;

  constructor(longest: number) {
    this.#longest = longest;
  }

  push(text: string): TakenLines {
    const pieces = text.split('\n');
    const last = pieces.pop()!;
    const lines: string[] = [];
    let tooLong = 0;
    for (const piece of pieces) {
      if (!this.#add(piece)) tooLong += 1;
      if (!this.#isSkipping) lines.push(this.#rest);
      this.#rest = '';
      this.#isSkipping = false;
    }
    if (!this.#add(last)) tooLong += 1;
    return { lines, tooLong };
  }

  /** False when the line that is being read becomes too long. */
  #add(piece: string): boolean {
    if (this.#isSkipping) return true;
    this.#rest += piece;
    if (this.#rest.length <= this.#longest) return true;
    this.#rest = '';
    this.#isSkipping = true;
    return false;
  }
}
