/**
 * The grammar of `Forwarded` (RFC 7239 §4), parsed from the right, since the nearest proxy wrote the last element.
 *
 * The left part may be the client's: an unterminated quote there must not swallow what a proxy appends. Going
 * backwards, each element is complete before the next one is parsed.
 */

/** One element: one proxy's statement about the request that it received. */
export interface ForwardedElement {
  for?: string;
  by?: string;
  host?: string;
  proto?: string;
}

/**
 * A node of RFC 7239 §6, or a member of X-Forwarded-For: the name without brackets; the port is '' when there is none.
 */
export interface ForwardedNode {
  kind: 'address' | 'hidden';
  /** an IP address, or 'unknown' or an obfuscated identifier (RFC 7239 §6.2, §6.3) */
  name: string;
  port: string;
}

const tchar = String.raw`[!#$%&'*+\-.^_\x60|~0-9A-Za-z]`;
const quoted = String.raw`"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"`;
/** forwarded-pair = token "=" value. Blanks around it are accepted: they are common and harmless. */
const pair = new RegExp(String.raw`^[ \t]*(${tchar}+)=(${tchar}+|${quoted})[ \t]*$`);

/** Returns where the last element of `text.slice(0, end)` begins: behind the last comma outside quoted strings. */
export function lastElementStart(text: string, end: number): number {
  return lastOutsideQuotes(text, ',', end) + 1;
}

/** Returns the position of the last `mark` before `end` outside quoted strings; -1 when there is none. */
function lastOutsideQuotes(text: string, mark: ',' | ';', end: number): number {
  for (let at = end - 1; at >= 0; at -= 1) {
    const character = text[at];
    if (character === mark) return at;
    if (character === '"') at = openingQuote(text, at);
  }
  return -1;
}

/**
 * Returns the quote that opens the string which ends at `closing`. A quote behind an odd number of backslashes is
 * escaped.
 */
function openingQuote(text: string, closing: number): number {
  for (let at = closing - 1; at >= 0; at -= 1) {
    if (text[at] !== '"') continue;
    let slashes = 0;
    while (text[at - 1 - slashes] === '\\') slashes += 1;
    if (slashes % 2 === 0) return at;
  }
  return -1;
}

function unquote(value: string): string {
  return value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
}

/**
 * Parses an element; undefined when it is malformed: no pairs between the semicolons, or a repeated parameter. Unknown
 * parameters are skipped (RFC 7239 §5.5).
 */
export function parseElement(text: string): ForwardedElement | undefined {
  const element: ForwardedElement = {};
  const seen = new Set<string>();
  for (let end = text.length; end >= 0;) {
    const start = lastOutsideQuotes(text, ';', end) + 1;
    const part = text.slice(start, end);
    end = start - 1;
    if (/^[ \t]*$/.test(part)) continue;
    const match = pair.exec(part);
    const name = match?.[1]!.toLowerCase();
    if (match === null || name === undefined || seen.has(name)) return undefined;
    seen.add(name);
    if (name === 'for' || name === 'by' || name === 'host' || name === 'proto') element[name] = unquote(match[2]!);
  }
  return element;
}

/** ABNF of RFC 7239 §6: node = nodename [ ":" node-port ]. */
const hiddenNode = /^(unknown|_[0-9A-Za-z._-]+)(?::(\d{1,5}|_[0-9A-Za-z._-]+))?$/i;
const bracketedNode = /^\[([0-9A-Fa-f:.]+)\](?::(\d{1,5}|_[0-9A-Za-z._-]+))?$/;
const ipv4Node = /^(\d{1,3}(?:\.\d{1,3}){3})(?::(\d{1,5}|_[0-9A-Za-z._-]+))?$/;

/**
 * Splits a node. The caller checks whether its name is an IP address. `bare`: an IPv6 address may have no brackets, and
 * then no port, as in X-Forwarded-For.
 */
export function parseNode(text: string, bare: boolean): ForwardedNode | undefined {
  const hidden = hiddenNode.exec(text);
  if (hidden !== null) return { kind: 'hidden', name: hidden[1]!, port: portOf(hidden[2]) };
  const match = bracketedNode.exec(text) ?? ipv4Node.exec(text);
  if (match !== null) return { kind: 'address', name: match[1]!, port: portOf(match[2]) };
  return bare && /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(text) ? { kind: 'address', name: text, port: '' } : undefined;
}

/** Returns a port for the environment: '' for an obfuscated or invalid one. */
export function portOf(text: string | undefined): string {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? String(Number(text)) : '';
}
