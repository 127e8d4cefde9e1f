/** `wsgi.errors`: what applications write for people goes to the log, line by line. */
import { Writable } from 'node:stream';
import type { Logger } from '../../shared/log/log.ts';

/** One for all requests of a process: an application that ends or destroys it must not take it from the others. */
export class ErrorLines extends Writable {
  readonly #log: Logger;

  constructor(log: Logger) {
    super({ decodeStrings: false });
    this.#log = log;
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    for (const text of String(chunk).split('\n')) if (text !== '') this.#log.error('app.errors', { text });
    done();
  }

  override end(chunk?: unknown): this {
    if (typeof chunk === 'string' || chunk instanceof Uint8Array) this.write(chunk);
    return this;
  }

  override destroy(): this {
    return this;
  }
}
