/**
 * The access log: one line per request, in eventlet's format, escaped so that no client can forge a line, and batched
 * so that a request does not wait for the disk.
 */
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { pino } from 'pino';
import type { Environ } from '../shared/application.ts';
import { EvyError, toError } from '../shared/errors.ts';

/** The fields of `logFormat`. */
export interface AccessFields {
  client_ip: string;
  date_time: string;
  request_line: string;
  status_code: number;
  body_length: number;
  wall_seconds: number;
}

/** The fields of one request; `X-Forwarded-For` goes in front of the peer as eventlet writes it. */
export function accessFields(
  env: Environ,
  status: number,
  bodyBytes: number,
  seconds: number,
  forwardedFor: boolean,
): AccessFields {
  const forwarded = forwardedFor ? env['HTTP_X_FORWARDED_FOR']?.replaceAll(' ', '') : undefined;
  return {
    client_ip: forwarded === undefined || forwarded === '' ? env.REMOTE_ADDR : `${forwarded},${env.REMOTE_ADDR}`,
    date_time: logDate(new Date()),
    request_line: `${env.REQUEST_METHOD} ${env.RAW_URI} ${env.SERVER_PROTOCOL}`,
    status_code: status,
    body_length: bodyBytes,
    wall_seconds: seconds,
  };
}

type Piece = string | ((fields: AccessFields) => string);

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** '22/Nov/2026 21:30:05', local time, as eventlet writes it. */
export function logDate(date: Date): string {
  const two = (number: number) => String(number).padStart(2, '0');
  const day = `${two(date.getDate())}/${months[date.getMonth()]}/${date.getFullYear()}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

// oxlint-disable-next-line no-control-regex -- control characters are what must not get through
const unsafe = /[\x00-\x1f"\\\x7f-\x9f]/g;

/** Control characters and quotes as \xNN, so that a line stays one line and a field one field. */
export function escapeField(text: string): string {
  return text.replace(unsafe, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}

/** A format with `%(name)s`, `%(name)d` and `%(name).6f` as a function of the fields. @throws {EvyError} BAD_OPTION on unknown names */
export function compileFormat(format: string): (fields: AccessFields) => string {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of format.matchAll(/%(?:%|\((\w+)\)(?:\.(\d+))?([sdf]))/g)) {
    pieces.push(format.slice(from, match.index));
    from = match.index + match[0].length;
    const name = match[1] as keyof AccessFields | undefined;
    if (name === undefined) {
      pieces.push('%');
      continue;
    }
    if (!['client_ip', 'date_time', 'request_line', 'status_code', 'body_length', 'wall_seconds'].includes(name)) {
      throw new EvyError('BAD_OPTION', `option logFormat has no field ${name}`);
    }
    const digits = match[3] === 'f' ? Number(match[2] ?? 6) : undefined;
    pieces.push((fields) => {
      const value = fields[name];
      return typeof value === 'number' && digits !== undefined ? value.toFixed(digits) : escapeField(String(value));
    });
  }
  pieces.push(format.slice(from));
  return (fields) => pieces.map((piece) => (typeof piece === 'string' ? piece : piece(fields))).join('');
}

export interface AccessLog {
  write(fields: AccessFields): void;
  /** Opens the file of the same name anew, after it was rotated away. */
  reopen(): void;
  /** Writes what is buffered; the end. */
  close(): Promise<void>;
}

/** An open that takes longer than this, at the end, is not waited for. */
const openWithinMs = 1000;

/**
 * An access log to standard output ('-') or a file; rejects when the file cannot be opened. Later on nothing that
 * happens to the file ends the server.
 */
export async function openAccessLog(
  target: string,
  format: string,
  onError: (error: Error) => void,
): Promise<AccessLog> {
  const line = compileFormat(format);
  const toFile = target !== '-';
  const destination = pino.destination({ dest: toFile ? target : 1, minLength: 4096, maxLength: 1 << 20, sync: false });
  let opened = once(destination, 'ready').then(() => {});
  await opened;
  destination.on('error', onError);
  const timer = setInterval(() => destination.flush(), 1000);
  timer.unref();
  return {
    write: (fields) => destination.write(`${line(fields)}\n`),
    reopen: () => {
      if (!toFile) return;
      opened = once(destination, 'ready').then(() => {}, onError);
      destination.reopen();
    },
    close: async () => {
      clearInterval(timer);
      // A flush while the file is being opened anew would throw.
      await Promise.race([opened, setTimeout(openWithinMs, undefined, { ref: false })]);
      try {
        destination.flushSync();
      } catch (error) {
        onError(error as Error);
      }
    },
  };
}

/** An access log to something that takes lines: eventlet's `log` option. What it throws must not hurt a request. */
export function accessLogTo(
  sink: { write(line: string): unknown },
  format: string,
  onError: (error: Error) => void = () => {},
): AccessLog {
  const line = compileFormat(format);
  const write = (fields: AccessFields): void => {
    try {
      sink.write(`${line(fields)}\n`);
    } catch (thrown) {
      onError(toError(thrown));
    }
  };
  return { write, reopen: () => {}, close: () => Promise.resolve() };
}
