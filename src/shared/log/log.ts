/**
 * The logger: an event name from a closed list, then fields; JSON through pino, or readable text on a terminal. Lines
 * are written immediately, since the last one before an exit matters most, and never block (log-destination.ts). Lines
 * that clients can cause are limited (log-budget.ts).
 */
import { isatty } from 'node:tty';
import type * as PinoModule from 'pino';
import { nodeModule } from '../lazy-node.ts';
import type { LogEvent } from './events.ts';
import { LogDestination } from './log-destination.ts';

export type { LogEvent } from './events.ts';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(event: LogEvent, fields?: LogFields): void;
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
  /** Opens the log file again after a rotation. Does nothing when the log goes to a descriptor. */
  reopen(): void;
}

export interface LoggerOptions {
  level: LogLevel;
  style: 'auto' | 'human' | 'json';
  /** the file to append to; empty for standard error */
  file?: string;
  /** fields of every line */
  fields?: LogFields;
}

type Line = Record<string, unknown> & { time: number; level: LogLevel; event: string; stack?: unknown };

const severities: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** SGR codes of ECMA-48 */
const grey = 90;
const levelColours: Readonly<Record<LogLevel, number>> = { debug: grey, info: 32, warn: 33, error: 31 };

/** C0, DEL and C1 except LF and TAB: a terminal would execute them, and any text may come from a client. */
const control = /[^\P{Cc}\n\t]/gu;

function visible(text: string): string {
  return text.replace(control, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function fieldText(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=\p{Cc}]+$/u.test(value)) return value;
  return visible(JSON.stringify(value) ?? String(value));
}

/**
 * Formats a line for people: local time, level, event, fields, then the stack trace. Lines of the stack are indented,
 * so that none can be mistaken for a log line.
 */
export function humanLine(line: Line, colour: boolean): string {
  const { time, level, event, stack, ...fields } = line;
  const paint = (code: number, text: string) => (colour ? `\u001b[${code}m${text}\u001b[39m` : text);
  const clock = new Date(time).toLocaleTimeString('en-GB');
  const parts = [paint(grey, clock), paint(levelColours[level], level.padEnd(5)), event];
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) parts.push(`${paint(grey, `${visible(name)}=`)}${fieldText(value)}`);
  }
  // Error.prepareStackTrace of an application may return something other than a string.
  const trace = typeof stack !== 'string' ? '' : `\n${visible(stack).replace(/^|\n/g, '$&    ')}`;
  return `${parts.join(' ')}${trace}\n`;
}

/** Loads pino with the first line, since a worker may never write one. */
function openPino({ level, fields }: LoggerOptions, stream: { write(json: string): void }): PinoModule.Logger {
  const { pino } = nodeModule().createRequire(import.meta.url)('pino') as typeof PinoModule;
  return pino(
    { level, base: fields ?? {}, messageKey: 'message', formatters: { level: (label) => ({ level: label }) } },
    stream,
  );
}

export function createLogger(options: LoggerOptions): Logger {
  const toFile = options.file !== undefined && options.file !== '';
  const onLost = (lines: number): void => write('warn', 'log.lost', { lines });
  const destination = new LogDestination(toFile ? options.file : undefined, onLost);
  const human = options.style === 'human' || (options.style === 'auto' && !toFile && isatty(2));
  const colour = human && !toFile && isatty(2) && process.env['NO_COLOR'] === undefined;
  const stream = human
    ? { write: (json: string) => destination.write(humanLine(JSON.parse(json) as Line, colour)) }
    : destination;
  let pino: PinoModule.Logger | undefined;
  const write = (level: LogLevel, event: LogEvent, fields?: LogFields): void => {
    if (severities[level] < severities[options.level]) return;
    const line = { event, ...fields };
    try {
      pino ??= openPino(options, stream);
    } catch {
      // Without a free descriptor pino cannot be loaded; the line that reports this is written all the same.
      stream.write(`${JSON.stringify({ level, time: Date.now(), ...options.fields, ...line })}\n`);
      return;
    }
    pino[level](line);
  };
  return {
    debug: (event, fields) => write('debug', event, fields),
    info: (event, fields) => write('info', event, fields),
    warn: (event, fields) => write('warn', event, fields),
    error: (event, fields) => write('error', event, fields),
    reopen: () => destination.reopen(),
  };
}

/** A logger that writes nothing, for embedding without a log and for tests. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, reopen() {} };
