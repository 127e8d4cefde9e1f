/**
 * The value kinds of options. Each accepts what users write (a string from a flag or a variable, or a value of the
 * right type from a file or the API) and produces plain data in one unit.
 */
// The small build of zod, which loads three times as fast as the full one.
import * as z from 'zod/mini';
import { parseFormat } from './access-format.ts';
import { isSkipPattern, parseAccessTarget } from './access-target.ts';
import { isPeerEntry, peerNotation } from './peer-list.ts';
import { parseWarmUpRequest } from './warm-up-request.ts';
import { formatBytes, formatDuration, largestSize, longestDuration, parseBytes, parseDuration } from './units.ts';
import { formatWorkerRange, parseWorkerRange, workersNotation } from './worker-range.ts';

type Context = z.core.ParsePayload;

/** Reports the rule that a value breaks; `part` is the wrong part, if it is not the whole value. */
function refuse(context: Context, message: string, part?: string): never {
  context.issues.push({ code: 'custom', message, input: context.value, params: { part } });
  return z.NEVER;
}

/** A value that is made from one that matches `schema`. */
function made<Schema extends z.ZodMiniType, Made>(
  schema: Schema,
  make: (value: z.output<Schema>, context: Context) => Made,
): z.ZodMiniPipe<Schema, z.ZodMiniTransform<Made, z.output<Schema>>> {
  return z.pipe(schema, z.transform(make));
}

const asList = z.pipe(
  z.string(),
  z.transform((one: string) => [one]),
);

export const text = () => z.string({ error: 'must be text' });

export const textList = () => z.union([asList, z.array(z.string())], { error: 'must be text or a list of texts' });

const hostPattern = /^(?:\.?[a-z0-9_][a-z0-9_-]*(?:\.[a-z0-9_][a-z0-9_-]*)*|\[[0-9a-f:.]+\])$/;

/** Host names without port, in lower case. */
export function hostList() {
  return made(textList(), (names, context) => {
    const lower = names.map((name) => name.toLowerCase());
    if (lower.every((name) => hostPattern.test(name))) return lower;
    return refuse(context, 'must be host names without a port, such as www.example.com or .example.com');
  });
}

/** One word of a closed list. */
export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `must be one of ${words.join(', ')}` });
}

/** One valid text or several; a message shows only the wrong entry of a list. */
function listOf(rule: string, fits: (entry: string) => boolean) {
  return made(z.union([asList, z.array(z.string())], { error: rule }), (entries, context) => {
    const wrong = entries.find((entry) => !fits(entry));
    if (wrong === undefined) return entries;
    return refuse(context, rule, wrong);
  });
}

/** Requests as 'GET:/path'. */
export const requestList = () =>
  listOf(
    'must be a request such as GET:/health, or a list of them',
    (entry) => parseWarmUpRequest(entry) !== undefined,
  );

/** Several words of a closed list. */
export const someOf = (words: readonly string[]) =>
  listOf(`must be one or more of ${words.join(', ')}`, (entry) => words.includes(entry));

/** Peers of a connection (peer-list.ts). */
export const peers = () => listOf(`must be ${peerNotation}, or a list of these`, isPeerEntry);

/** A field name (RFC 9110 §5.1). One with '_' never reaches the environment. */
export function fieldName() {
  const rule = 'must be a header name made of letters, digits and hyphens';
  return z.string({ error: rule }).check(z.regex(/^[A-Za-z][A-Za-z0-9-]*$/, { error: rule }));
}

/** An object with any entries. */
export const record = () => z.record(z.string(), z.unknown(), { error: 'must be an object' });

export function integer(least: number, most: number) {
  const rule = `must be a whole number from ${least} to ${most}`;
  return made(z.union([z.number(), z.string()], { error: rule }), (value, context) => {
    const number = typeof value === 'string' && !/^\d+$/.test(value) ? NaN : Number(value);
    if (Number.isInteger(number) && number >= least && number <= most) return number;
    return refuse(context, rule);
  });
}

/** A number of workers, or a range of it: 4, '2..8' or { least: 2, most: 8 }. */
export function workerRange() {
  const rule = `must be ${workersNotation}`;
  const object = z.pipe(z.strictObject({ least: z.number(), most: z.number() }), z.transform(formatWorkerRange));
  return made(z.union([z.number(), z.string(), object], { error: rule }), (value, context) => {
    const range = parseWorkerRange(String(value));
    if (range !== undefined) return range;
    return refuse(context, rule);
  });
}

const timeTooLong = `must be a time of at most ${longestDuration}`;
const sizeTooLarge = `must be a size of at most ${largestSize}`;

/** Milliseconds, from '30s' or a number of seconds. */
export function duration(leastMs: number) {
  const least = leastMs > 0 ? `, at least ${formatDuration(leastMs)}` : '';
  const rule = `must be a time such as 500ms, 30s or 5m (a number without a unit is seconds)${least}`;
  return made(z.union([z.number(), z.string()], { error: rule }), (value, context) => {
    const ms = parseDuration(String(value));
    if (ms !== undefined && ms !== Infinity && ms >= leastMs) return ms;
    return refuse(context, ms === Infinity ? timeTooLong : rule);
  });
}

/** The same, or 0 to disable. */
export function durationOrOff(leastMs: number) {
  const rule = `must be 0, or a time such as 30s or 5m (a number without a unit is seconds) of at least ${formatDuration(leastMs)}`;
  return made(z.union([z.number(), z.string()], { error: rule }), (value, context) => {
    const ms = parseDuration(String(value));
    if (ms !== undefined && ms !== Infinity && (ms === 0 || ms >= leastMs)) return ms;
    return refuse(context, ms === Infinity ? timeTooLong : rule);
  });
}

/** Bytes, from '64KiB' or a number of bytes. */
export function bytes(least: number) {
  const rule = `must be a size such as 512, 64KiB or 10MB${least > 0 ? `, at least ${formatBytes(least)}` : ''}`;
  return made(z.union([z.number(), z.string()], { error: rule }), (value, context) => {
    const size = parseBytes(String(value));
    if (size !== undefined && size !== Infinity && size >= least) return size;
    return refuse(context, size === Infinity ? sizeTooLarge : rule);
  });
}

/** A number from 0 to 100, from '5%' or a number. */
export function percent() {
  const rule = 'must be a percentage from 0 to 100, such as 5% or 0.5';
  return made(z.union([z.number(), z.string()], { error: rule }), (value, context) => {
    const match = /^(\d+(?:\.\d+)?)%?$/.exec(String(value).trim());
    const number = match === null ? NaN : Number(match[1]);
    if (number >= 0 && number <= 100) return number;
    return refuse(context, rule);
  });
}

/** true or false, from the usual words for them. */
export function switchValue() {
  return made(z.union([z.boolean(), z.string()], { error: 'must be true or false' }), (value, context) => {
    if (typeof value === 'boolean') return value;
    if (/^(1|true|yes|on)$/i.test(value)) return true;
    if (/^(0|false|no|off|)$/i.test(value)) return false;
    return refuse(context, 'must be true or false');
  });
}

/** Milliseconds, 0 for false and `whenTrue` for true (eventlet's keepalive). */
export function flagOrDuration(whenTrue: number) {
  const rule = 'must be true, false, or a time such as 30s (a number without a unit is seconds)';
  return made(z.union([z.boolean(), z.number(), z.string()], { error: rule }), (value, context) => {
    if (value === true || /^(true|yes|on)$/i.test(String(value))) return whenTrue;
    if (value === false || /^(false|no|off)$/i.test(String(value))) return 0;
    const ms = parseDuration(String(value));
    if (ms !== undefined && ms !== Infinity) return ms;
    return refuse(context, ms === Infinity ? timeTooLong : rule);
  });
}

/** A file mode: 0o660 or '660'. */
export function octal() {
  const rule = 'must be an octal file mode such as 0660';
  return made(z.union([z.number(), z.string()], { error: rule }), (value, context) => {
    const mode =
      typeof value === 'number'
        ? value
        : /^(0o?)?[0-7]{1,4}$/.test(value)
          ? Number.parseInt(value.replace('o', ''), 8)
          : NaN;
    if (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777) return mode;
    return refuse(context, rule);
  });
}

/** A format of the access log: the workers compile it, so the master checks that it can be compiled. */
export function accessFormat() {
  return made(z.string({ error: 'must be text' }), (value, context) => {
    const parsed = parseFormat(value);
    if (parsed.kind !== 'wrong') return value;
    const rule = 'must be eventlet, common, combined, json, or text with %(name)s fields';
    return refuse(context, `${rule} (${parsed.why})`);
  });
}

export function accessTarget() {
  const rule = "must be 'off', '-', a file, unix:path or tcp:host:port";
  return z.string({ error: rule }).check(z.refine((value) => parseAccessTarget(value) !== undefined, { error: rule }));
}

/** Paths, exact or as a prefix with a star at the end. */
export function pathPatterns() {
  const rule = 'must be paths such as /health or /assets/*';
  const list = z.union([asList, z.array(z.string())], { error: rule });
  return list.check(z.refine((paths) => paths.every(isSkipPattern), { error: rule }));
}
