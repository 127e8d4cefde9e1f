/** Collects what a process writes, parses its JSON log lines, and lets tests wait for one. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

export interface LogLine {
  level: string;
  time: number;
  event: string;
  [field: string]: unknown;
}
export type Where = (line: LogLine) => boolean;
type StreamName = 'stdout' | 'stderr';

function parseLine(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(text) as Partial<LogLine>;
    return typeof value.event === 'string' ? (value as LogLine) : undefined;
  } catch {
    return undefined;
  }
}

export class LogReader {
  readonly #texts: { stream: StreamName; text: string }[] = [];
  readonly #lines: LogLine[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  read(stream: StreamName, source: Readable): void {
    createInterface({ input: source, crlfDelay: Infinity }).on('line', (text) => {
      this.#texts.push({ stream, text });
      const line = parseLine(text);
      if (!line) return;
      this.#lines.push(line);
      for (const check of this.#waiting) check();
    });
  }

  /** No further line will come. */
  end(): void {
    this.#ended = true;
    for (const check of this.#waiting) check();
  }

  seen(event: string, where: Where = () => true): LogLine[] {
    return this.#lines.filter((line) => line.event === event && where(line));
  }

  text(stream?: StreamName): string {
    const wanted = this.#texts.filter((entry) => stream === undefined || entry.stream === stream);
    return wanted.map(({ text }) => `${text}\n`).join('');
  }

  /** The `times`th line of an event, as soon as it is there; undefined when the output ended without it. */
  next(event: string, times: number, where?: Where): Promise<LogLine | undefined> {
    return new Promise((resolve) => {
      const check = () => {
        const line = this.seen(event, where)[times - 1];
        if (line === undefined && !this.#ended) return;
        this.#waiting.delete(check);
        resolve(line);
      };
      this.#waiting.add(check);
      check();
    });
  }
}
