/**
 * The logger: an event name from a closed list, then fields; JSON through pino, or readable text on a terminal. Lines
 * are written immediately, since the last one before an exit matters most, and never block (log-destination.ts). Lines
 * that clients can cause are limited (log-budget.ts).
 */
import { isatty } from 'node:tty';
import { styleText } from 'node:util';
import { pino } from 'pino';
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

type Line = Record<string, unknown> & { time: number; level: string; event: string; stack?: unknown };

const levelColours = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const;

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
  const paint = (style: Parameters<typeof styleText>[0], text: string) => (colour ? styleText(style, text) : text);
  const clock = new Date(time).toLocaleTimeString('en-GB');
  const parts = [paint('gray', clock), paint(levelColours[level as LogLevel] ?? 'white', level.padEnd(5)), event];
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) parts.push(`${paint('gray', `${visible(name)}=`)}${fieldText(value)}`);
  }
  // Error.prepareStackTrace of an application may return something other than a string.
  const trace = typeof stack !== 'string' ? '' : `\n${visible(stack).replace(/^|\n/g, '$&    ')}`;
  return `${parts.join(' ')}${trace}\n`;
}

export function createLogger(options: LoggerOptions): Logger {
  const toFile = options.file !== undefined && options.file !== '';
  const onLost = (lines: number): void => logger.warn({ event: 'log.lost', lines });
  const destination = new LogDestination(toFile ? options.file : undefined, onLost);
  const human = options.style === 'human' || (options.style === 'auto' && !toFile && isatty(2));
  const colour = human && !toFile && isatty(2) && process.env['NO_COLOR'] === undefined;
  const stream = human
    ? { write: (json: string) => destination.write(humanLine(JSON.parse(json) as Line, colour)) }
    : destination;
  const logger = pino(
    {
      level: options.level,
      base: options.fields ?? {},
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    stream,
  );
  return {
    debug: (event, fields) => logger.debug({ event, ...fields }),
    info: (event, fields) => logger.info({ event, ...fields }),
    warn: (event, fields) => logger.warn({ event, ...fields }),
    error: (event, fields) => logger.error({ event, ...fields }),
    reopen: () => destination.reopen(),
  };
}

/** A logger that writes nothing, for embedding without a log and for tests. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, reopen() {} };
