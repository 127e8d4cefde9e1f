/**
 * Field names as received, looked up once: token check, environment key and what the framing rules need to know.
 *
 * The names of all clients together are few, so a map from the spelling to its facts makes the check and the
 * upper-casing free. It is bounded: when a client that sends ever new names has filled it, it begins anew, so that the
 * names of everybody else are soon there again.
 */
import { token } from './grammar.ts';

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
  /** key in the environment; '' for a name with '_', which must not pass for one with '-' */
  readonly environKey: string;
  /** between repeated values (RFC 9110 §5.3; Cookie by RFC 6265 §5.4) */
  readonly separator: ', ' | '; ';
}

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

/** Facts about a field name, or undefined when it is not a token. */
export function headerName(name: string): HeaderName | undefined {
  const found = known.get(name);
  if (found !== undefined) return found;
  if (!token.test(name)) return undefined;
  if (name.length > maxKnownLength) return describe(name);
  // A copy, also for the facts: the text received is a slice that would keep the whole chunk alive.
  const own = Buffer.from(name, 'latin1').toString('latin1');
  const facts = describe(own);
  if (known.size >= maxKnown) known.clear();
  known.set(own, facts);
  return facts;
}
