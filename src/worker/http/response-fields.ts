/** Checks names and values of response headers once, and caches the results while they repeat. */
import { EvyError } from '../../shared/errors.ts';
import { fieldValue, token } from './grammar.ts';

/** A value that no application can pass. */
const nothingYet = Symbol('nothing yet');

export interface NameFacts {
  /** 'Content-Type: ' */
  prefix: string;
  kind: 'plain' | 'content-length' | 'connection' | 'date' | 'hop';
  /** the last checked value, and its line: applications repeat values */
  value: string | typeof nothingYet;
  line: string;
  /** the number in that value of Content-Length */
  length: number;
}

/** Longer values are checked each time, so that the cache keeps little in memory. */
const maxRememberedLength = 128;

/** Fields about the connection itself, which only the server sends (PEP 3333, RFC 9110 §7.6.1). */
const hopByHop: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'upgrade',
]);
const maxKnown = 2048;
const asGiven = new Map<string, NameFacts>();
const capitalized = new Map<string, NameFacts>();

function capitalize(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (start) => start.toUpperCase());
}

/** @throws {EvyError} APP_BAD_HEADER */
export function nameFacts(name: string, capitals: boolean): NameFacts {
  const known = capitals ? capitalized : asGiven;
  const found = known.get(name);
  if (found !== undefined) return found;
  if (typeof name !== 'string' || !token.test(name)) {
    throw new EvyError('APP_BAD_HEADER', `header name must be a token (got ${JSON.stringify(name)})`);
  }
  const lower = name.toLowerCase();
  const kind =
    lower === 'content-length' || lower === 'connection' || lower === 'date'
      ? lower
      : hopByHop.has(lower)
        ? 'hop'
        : 'plain';
  const prefix = `${capitals ? capitalize(name) : name}: `;
  const facts: NameFacts = { prefix, kind, value: nothingYet, line: '', length: 0 };
  if (known.size < maxKnown) known.set(name, facts);
  return facts;
}

export function badValue(name: string, value: unknown): EvyError {
  return new EvyError(
    'APP_BAD_HEADER',
    `value of header ${name} must be one line of latin-1 text (got ${JSON.stringify(value)})`,
  );
}

/** The line of a value that differs from the last one. @throws {EvyError} APP_BAD_HEADER */
export function lineOf(facts: NameFacts, name: string, value: unknown): string {
  if (typeof value !== 'string' || !fieldValue.test(value)) throw badValue(name, value);
  const line = `${facts.prefix}${value}\r\n`;
  if (facts.kind === 'content-length') {
    if (!/^[0-9]{1,15}$/.test(value)) throw badValue(name, value);
    facts.length = Number(value);
  }
  if (value.length <= maxRememberedLength) {
    facts.value = value;
    facts.line = line;
  }
  return line;
}
