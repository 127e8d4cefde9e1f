/**
 * Field lines of a head or of trailers (RFC 9112 §5): `name ":" OWS value OWS`, without folding or a blank before the
 * colon. Also the known facts of each name, and values that are lists.
 */
import { token } from './grammar.ts';

export type Field = [name: string, value: string];

/**
 * Parses the lines of `text` from `position` on into `fields` and, in parallel, `names`. Bytes have been checked
 * already, so the possible faults are a line without a colon and a name that is no token.
 */
export function parseFields(text: string, position: number, fields: Field[], names: HeaderName[]): boolean {
  const length = text.length;
  let at = position;
  while (at < length) {
    let lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) lineEnd = length;
    const colon = text.indexOf(':', at);
    if (colon < 0 || colon > lineEnd) return false;
    const name = text.slice(at, colon);
    const facts = headerName(name);
    if (facts === undefined) return false;
    let from = colon + 1;
    let to = lineEnd;
    for (let code = text.charCodeAt(from); from < to && isBlank(code);) code = text.charCodeAt(++from);
    for (let code = text.charCodeAt(to - 1); to > from && isBlank(code);) code = text.charCodeAt(--to - 1);
    fields.push([name, text.slice(from, to)]);
    names.push(facts);
    at = lineEnd + 2;
  }
  return true;
}

export type SpecialHeader =
  | 'host'
  | 'content-length'
  | 'transfer-encoding'
  | 'connection'
  | 'expect'
  | 'cookie'
  | 'other';

export interface HeaderName {
  readonly lower: string;
  readonly special: SpecialHeader;
  /** the key in the environment; '' for a name with '_', which would look like one with '-' */
  readonly environKey: string;
  /** between repeated values (RFC 9110 §5.3; Cookie by RFC 6265 §5.4) */
  readonly separator: ', ' | '; ';
}

/** The most spellings of names in the cache. */
const maxKnown = 2048;
const maxKnownLength = 64;
const known = new Map<string, HeaderName>();
const special: ReadonlySet<string> = new Set<SpecialHeader>([
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'expect',
  'cookie',
]);

function describe(name: string): HeaderName {
  const lower = name.toLowerCase();
  const upper = name.toUpperCase().replaceAll('-', '_');
  const cgi = lower === 'content-type' || lower === 'content-length';
  return {
    lower,
    special: special.has(lower) ? (lower as SpecialHeader) : 'other',
    environKey: name.includes('_') ? '' : cgi ? upper : `HTTP_${upper}`,
    separator: lower === 'cookie' ? '; ' : ', ',
  };
}

/**
 * Returns the facts about a field name, or undefined when it is not a token. Clients use few names, so a map from
 * spellings to facts avoids the check and the conversion to upper case. The map is cleared when a client that sends
 * ever new names has filled it.
 */
export function headerName(name: string): HeaderName | undefined {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (!token.test(name)) return undefined;
  if (name.length > maxKnownLength) return describe(name);
  // A copy, since the received text is a slice that would keep the whole chunk in memory.
  const own = Buffer.from(name, 'latin1').toString('latin1');
  const facts = describe(own);
  if (known.size >= maxKnown) known.clear();
  known.set(own, facts);
  return facts;
}

const space = 0x20;
const tab = 0x09;

/**
 * Removes blanks and tabs at both ends. trim() would also remove 0xA0, and a regular expression that looks for trailing
 * blanks takes quadratic time on long runs of them, of which a client may send 64 KiB.
 */
export function trimBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from += 1;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to -= 1;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === space || code === tab;
}

/** Returns the members of a comma-separated list (RFC 9110 §5.6.1) unchanged, without the empty ones. */
export function listMembers(value: string): string[] {
  return value
    .split(',')
    .map(trimBlanks)
    .filter((member) => member !== '');
}
