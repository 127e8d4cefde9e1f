/**
 * Lines that become bytes, a few at a time: a string that was put together of many is a tree, which the garbage collector
 * walks as long as it lives. The bytes stand one behind the other in a slab: a batch is a view of it, or of two put together.
 *
 * A line is a string of bytes: each of its characters stands for one (Latin-1).
 */

/** characters */
const gatheredLength = 4096;
const slabBytes = 262_144;

export class Gathered {
  /** not in the slab yet */
  #lines = '';
  #slab = Buffer.alloc(0);
  #from = 0;
  #to = 0;
  /** what earlier slabs have of the batch */
  #earlier: Buffer[] = [];
  #earlierBytes = 0;

  /** Bytes so far, but for the last few lines. */
  get length(): number {
    return this.#earlierBytes + this.#to - this.#from;
  }

  get isEmpty(): boolean {
    return this.#lines === '' && this.length === 0;
  }

  add(line: string): void {
    this.#lines += line;
    if (this.#lines.length >= gatheredLength) this.#settle();
  }

  #settle(): void {
    const { length } = this.#lines;
    if (this.#to + length > this.#slab.length) this.#renew(length);
    this.#to += this.#slab.write(this.#lines, this.#to, 'latin1');
    this.#lines = '';
  }

  #renew(atLeast: number): void {
    if (this.#to > this.#from) this.#earlier.push(this.#slab.subarray(this.#from, this.#to));
    this.#earlierBytes += this.#to - this.#from;
    this.#slab = Buffer.allocUnsafeSlow(Math.max(slabBytes, atLeast));
    this.#from = 0;
    this.#to = 0;
  }

  /** All of them; what comes next begins a batch of its own. */
  take(): Buffer {
    this.#settle();
    const last = this.#slab.subarray(this.#from, this.#to);
    const bytes = this.#earlier.length === 0 ? last : Buffer.concat([...this.#earlier, last]);
    this.#from = this.#to;
    this.#earlier = [];
    this.#earlierBytes = 0;
    return bytes;
  }
}
