/**
 * The master's end of the pipe from a worker's watchdog: reads its messages, and notices silence.
 *
 * A worker that has had nothing to do yet has no watchdog. Then the master listens to its main thread, on the other
 * channel, and when that is silent, it asks the system what the thread does.
 *
 * When a watchdog is silent for as long as a loop may be stuck, its whole process does not run: it was stopped, or gets
 * no processor time. Such a worker is only logged and not killed, since it is not at fault and continues where it was.
 * Time in which the master itself was stopped does not count (shared/quiet.ts).
 */
import type { Readable } from 'node:stream';
import { toError } from '../../shared/errors.ts';
import { isBlocked } from '../../shared/native-block.ts';
import type { ThreadUse } from '../../shared/native-block.ts';
import { fromWatchdog } from '../../shared/protocol/message-shapes.ts';
import type { NativeBlock, WatchdogToMaster } from '../../shared/protocol/messages.ts';
import { Quiet, watchTickMs } from '../../shared/quiet.ts';

export type WatchNews =
  | Exclude<WatchdogToMaster, { type: 'alive' }>
  /** the watchdog's first message */
  | { type: 'watched' }
  /** neither the event loop nor the watchdog runs */
  | { type: 'silent'; quietMs: number }
  | { type: 'heard'; quietMs: number }
  /** a line that is longer than any message: it is dropped, but shows that the process runs */
  | { type: 'garbled' };

/** A message that neither evy's part of a worker nor Node sends: the application must have forged it. */
export interface Fault {
  type: 'fault';
  message: string;
  stack?: string | undefined;
}

/** Messages are shorter by far, since all text of clients in them is cut (shared/protocol/summaries.ts). */
const longestLine = 1 << 20;
/** How long the pipe is read after the end of its process. */
const lastWordsMs = 100;

export interface SplitLines {
  readonly lines: string[];
  /** how many lines that are too long began in this piece of text */
  readonly tooLong: number;
}

/** Splits text that comes in pieces into lines. A line that is too long is left out and counted, and never kept whole. */
export class BoundedLines {
  readonly #longest: number;
  #rest = '';
  /** whether the rest of a too long line is being skipped */
  #isSkipping = false;

  constructor(longest: number) {
    this.#longest = longest;
  }

  push(text: string): SplitLines {
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

/** What the operating system reports about a worker's main thread. */
export interface MainThread {
  readonly use: () => ThreadUse | undefined;
  readonly block: () => NativeBlock | undefined;
}

export class WatchLine {
  readonly #source: Readable;
  readonly #report: (news: WatchNews | Fault) => void;
  readonly #stuckMs: number;
  readonly #quiet: Quiet;
  #timer: NodeJS.Timeout | undefined;
  readonly #lines = new BoundedLines(longestLine);
  readonly #mainThread: MainThread;
  #isSilent = false;
  /** whether the watchdog has started */
  #isWatched = false;
  /** for a worker without a watchdog: its main thread when it had been silent for half of the limit */
  #before: ThreadUse | undefined;

  constructor(
    source: Readable,
    stuckMs: number,
    report: (news: WatchNews | Fault) => void,
    mainThread: MainThread = { use: () => undefined, block: () => undefined },
  ) {
    this.#mainThread = mainThread;
    this.#source = source;
    this.#report = report;
    this.#stuckMs = stuckMs;
    this.#quiet = new Quiet(watchTickMs(stuckMs), performance.now());
    source.setEncoding('utf8');
    source.on('data', (text: string) => this.#read(text));
    source.on('error', () => {}); // 'close' follows
    source.on('close', () => this.close());
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#source.destroy();
  }

  /**
   * To be called when the process has ended. Its last messages may still be in the pipe. Other processes may hold the
   * pipe open, so the end of the pipe is not waited for.
   */
  finish(): void {
    setTimeout(() => this.close(), lastWordsMs).unref();
  }

  #read(text: string): void {
    const { lines, tooLong } = this.#lines.push(text);
    const messages = this.#messagesIn(lines);
    if (messages.length === 0 && tooLong === 0) return;
    this.noteLife();
    if (!this.#isWatched) this.#report({ type: 'watched' });
    this.#isWatched = true;
    if (tooLong > 0) this.#report({ type: 'garbled' });
    // After a pause of the master several messages may arrive at once; a worker that has recovered must not be killed.
    const news = messages.filter((message) => message.type !== 'alive');
    const recovered = news.findLastIndex(({ type }) => type === 'recovered');
    for (const [index, message] of news.entries()) {
      if (message.type !== 'stuck' || index > recovered) this.#report(message);
    }
  }

  #messagesIn(lines: readonly string[]): WatchdogToMaster[] {
    try {
      return lines.map(fromWatchdog).filter((message) => message !== undefined);
    } catch (thrown) {
      const { message, stack } = toError(thrown);
      this.#report({ type: 'fault', message, stack });
      this.close();
      return [];
    }
  }

  /** Its watchdog or its main thread has reported something; the first report is that it is ready. */
  noteLife(): void {
    this.#timer ??= setInterval(() => this.#checkSilence(), this.#quiet.tickMs).unref();
    this.#before = undefined;
    if (this.#isSilent) this.#report({ type: 'heard', quietMs: Math.round(this.#quiet.ms) });
    this.#isSilent = false;
    this.#quiet.heard();
  }

  #checkSilence(): void {
    const quietMs = this.#quiet.tick(performance.now());
    if (this.#isSilent) return;
    if (!this.#isWatched && quietMs >= this.#stuckMs / 2) this.#before ??= this.#mainThread.use();
    if (quietMs < this.#stuckMs) return;
    this.#isSilent = true;
    if (!this.#isWatched && isBlocked(this.#before, this.#mainThread.use())) {
      this.#report({
        type: 'stuck',
        blockedMs: Math.round(quietMs),
        report: { requests: [], native: this.#mainThread.block() },
      });
      return;
    }
    this.#report({ type: 'silent', quietMs: Math.round(quietMs) });
  }
}
