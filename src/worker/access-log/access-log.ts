/**
 * The access log: one line per request, made when the request is over, escaped so that no client can forge a line, and
 * written in batches. A failing target never ends the server or affects a request.
 */
import { performance } from 'node:perf_hooks';
import { parseAccessTarget, type AccessTarget } from '../../shared/options/access-target.ts';
import { atExit, finished } from '../../shared/log/at-exit.ts';
import { toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ServerSettings } from '../../shared/options/table.ts';
import { Batches } from './batches.ts';
import { compileFormat, type MakeLine } from './compile-format.ts';
import { EndedRequests } from './ended-requests.ts';
import { FileSink } from './file-sink.ts';
import { emptyRecord, fill } from './record.ts';
import type { LoggedReport, LoggedRequest } from './record.ts';
import type { Sink } from './batches.ts';
import { compileSkip, wentWell, type SkipsPath } from './skip.ts';
import { SocketSink } from './socket-sink.ts';

export type AccessSettings = Pick<
  ServerSettings,
  'logFormat' | 'logXForwardedFor' | 'accessLogSkip' | 'trustedProxies'
>;

export interface AccessLog {
  write(request: LoggedRequest, report: LoggedReport, bodyBytes: number): void;
  /** Returns the line that `write` would add; undefined when it would add none. */
  line(request: LoggedRequest, report: LoggedReport, bodyBytes: number): string | undefined;
  /** Adds a finished line, perhaps one of another process. */
  add(line: string): void;
  /** Reopens the file after a rotation. */
  reopen(): void;
  /** Writes the waiting lines immediately, since the process may be killed at any moment. */
  writeNow(): void;
  /** Writes the waiting lines and closes the log. */
  close(): Promise<void>;
}

/** The destination of lines. */
interface Lines extends Pick<AccessLog, 'reopen' | 'close' | 'writeNow'> {
  readonly isFull: boolean;
  drop(): void;
  add(line: string): void;
}

/** A failing target is reported at most this often. */
const reportEveryMs = 60_000;

class LineLog implements AccessLog {
  readonly #makeLine: MakeLine;
  readonly #skips: SkipsPath | undefined;
  readonly #lines: Lines;
  readonly #ended: EndedRequests;
  readonly #failed: (thrown: unknown) => void;
  #isClosing = false;

  constructor(lines: Lines, settings: AccessSettings, generation: number, failed: (error: Error) => void) {
    this.#lines = lines;
    this.#failed = (thrown) => failed(toError(thrown));
    this.#ended = new EndedRequests((record) => lines.add(this.#makeLine(record)), this.#failed);
    // Behind trusted proxies the address is the client's already, and the header of any other peer is ignored.
    const forwardedFor = settings.logXForwardedFor && settings.trustedProxies.length === 0;
    this.#makeLine = compileFormat(settings.logFormat, { forwardedFor, generation });
    this.#skips = compileSkip(settings.accessLogSkip);
    // An application may call process.exit().
    atExit(this.writeNow);
  }

  write(request: LoggedRequest, report: LoggedReport, bodyBytes: number): void {
    if (this.#isSkipped(request, report)) return;
    if (this.#lines.isFull) this.#lines.drop();
    else this.#ended.add(request, report, bodyBytes);
    if (this.#isClosing) this.#ended.settle();
  }

  line(request: LoggedRequest, report: LoggedReport, bodyBytes: number): string | undefined {
    if (this.#isSkipped(request, report)) return undefined;
    const record = emptyRecord();
    fill(record, request, report, bodyBytes);
    try {
      return this.#makeLine(record);
    } catch (thrown) {
      this.#failed(thrown);
      return undefined;
    }
  }

  add(line: string): void {
    if (this.#lines.isFull) this.#lines.drop();
    else this.#lines.add(line);
  }

  #isSkipped({ env }: LoggedRequest, { status }: LoggedReport): boolean {
    if (this.#skips === undefined || !wentWell(status)) return false;
    try {
      // Applications may change this value.
      const path: unknown = env.RAW_PATH_INFO;
      return typeof path === 'string' && this.#skips(path);
    } catch {
      return false;
    }
  }

  reopen(): void {
    this.#lines.reopen();
  }

  readonly writeNow = (): void => {
    this.#ended.settle();
    this.#lines.writeNow();
  };

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#ended.settle();
    await this.#lines.close();
    finished(this.writeNow);
  }
}

/** Limits the reports of a target that keeps failing and recovering, so that they do not fill the server's log. */
class FailureReport {
  readonly #target: string;
  readonly #log: Logger;
  #nextMs = 0;
  #isReported = false;
  /** Lost lines that have not been reported. */
  #dropped = 0;

  constructor(target: string, log: Logger) {
    this.#target = target;
    this.#log = log;
  }

  readonly failed = (error: Error): void => {
    const now = performance.now();
    if (now < this.#nextMs) return;
    this.#nextMs = now + reportEveryMs;
    this.#isReported = true;
    this.#log.error('access-log.failed', { target: this.#target, error: error.message });
  };

  readonly resumed = (droppedLines: number): void => {
    this.#dropped += droppedLines;
    if (!this.#isReported) return;
    this.#log.warn('access-log.resumed', { target: this.#target, droppedLines: this.#dropped });
    this.#isReported = false;
    this.#dropped = 0;
  };

  readonly ended = (droppedLines: number): void => {
    this.#dropped += droppedLines;
    if (this.#dropped > 0) this.#log.error('access-log.lost', { target: this.#target, droppedLines: this.#dropped });
  };
}

/**
 * Batches take strings with one character per byte. Only the literal text of a format may have other characters than
 * ASCII.
 */
const asBytes = (format: string): string => Buffer.from(format).toString('latin1');

async function openSink(
  target: Exclude<AccessTarget, { kind: 'off' }>,
  onError: (error: Error) => void,
): Promise<Sink> {
  switch (target.kind) {
    case 'stdout':
      return FileSink.ofDescriptor(1);
    case 'file':
      return FileSink.open(target.path, onError);
    case 'unix':
      return new SocketSink({ path: target.path });
    case 'tcp':
      return new SocketSink({ host: target.host, port: target.port });
  }
}

/**
 * Opens the log of the option `accessLog`; undefined when it is off. Rejects when a file cannot be opened; a socket is
 * connected later.
 */
export async function openAccessLog(
  settings: AccessSettings & Pick<ServerSettings, 'accessLog'>,
  log: Logger,
  generation: number,
): Promise<AccessLog | undefined> {
  const { accessLog: name } = settings;
  const target = parseAccessTarget(name);
  if (target === undefined || target.kind === 'off') return undefined;
  const report = new FailureReport(name, log);
  const batches = new Batches(await openSink(target, report.failed), report);
  return new LineLog(batches, { ...settings, logFormat: asBytes(settings.logFormat) }, generation, report.failed);
}

/** An access log that writes to an object: eventlet's `log` option. Its exceptions must not affect a request. */
export function accessLogTo(sink: { write(line: string): unknown }, settings: AccessSettings, log: Logger): AccessLog {
  const report = new FailureReport('log', log);
  const add = (line: string): void => {
    try {
      sink.write(line);
    } catch (thrown) {
      report.failed(toError(thrown));
    }
  };
  const nothing = (): void => {};
  const lines = {
    isFull: false,
    drop: nothing,
    add,
    reopen: nothing,
    writeNow: nothing,
    close: () => Promise.resolve(),
  };
  return new LineLog(lines, settings, 0, report.failed);
}
