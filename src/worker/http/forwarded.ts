/**
 * The grammar of `Forwarded` (RFC 7239 §4), read from the right: the last element was written by the nearest proxy.
 *
 * From the right, because what stands on the left may be the client's: a quote that it leaves open there must not swallow
 * what a proxy appends. Going backwards each element is whole before the next one is looked at.
 */

/** One element: what a proxy says about the request that it got. */
export interface ForwardedElement {
  for?: string;
  by?: string;
  host?: string;
  proto?: string;
}

/** A node as RFC 7239 §6 writes it, or a member of X-Forwarded-For: name without brackets, port '' when none is told. */
export interface ForwardedNode {
  kind: 'address' | 'hidden';
  /** an IP address; or 'unknown' or an obfuscated identifier (RFC 7239 §6.2, §6.3), which hide it */
  name: string;
  port: string;
}

const tchar = String.raw`[!#$%&'*+\-.^_\x60|~0-9A-Za-z]`;
const quoted = String.raw`"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"`;
/** forwarded-pair = token "=" value. Blanks around it are let through: they are common, and hide nothing. */
const pair = new RegExp(String.raw`^[ \t]*(${tchar}+)=(${tchar}+|${quoted})[ \t]*$`);

/** Where the last element of `text.slice(0, end)` begins: behind the last comma that is not in a quoted string. */
export function lastElementStart(text: string, end: number): number {
  return lastOutsideQuotes(text, ',', end) + 1;
}

/** Position of the last `mark` before `end`, quoted strings skipped; -1 when there is none. */
function lastOutsideQuotes(text: string, mark: ',' | ';', end: number): number {
  for (let at = end - 1; at >= 0; at -= 1) {
    const character = text[at];
    if (character === mark) return at;
    if (character === '"') at = openingQuote(text, at);
  }
  return -1;
}

/** The quote that opens the string which `closing` ends; one behind an odd number of backslashes is part of it. */
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
 * An element, undefined when it is malformed: no pairs between the semicolons, or a parameter that comes twice. Unknown
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
 * Splits a node; whether its name is an address indeed is left to whoever can tell. `bare`: an IPv6 address may come
 * without brackets, and then without port, as in X-Forwarded-For.
 */
export function parseNode(text: string, bare: boolean): ForwardedNode | undefined {
  const hidden = hiddenNode.exec(text);
  if (hidden !== null) return { kind: 'hidden', name: hidden[1]!, port: portOf(hidden[2]) };
  const match = bracketedNode.exec(text) ?? ipv4Node.exec(text);
  if (match !== null) return { kind: 'address', name: match[1]!, port: portOf(match[2]) };
  return bare && /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(text) ? { kind: 'address', name: text, port: '' } : undefined;
}

/** A port as the environment shows it: '' for one that is hidden, or is none. */
export function portOf(text: string | undefined): string {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? String(Number(text)) : '';
}
