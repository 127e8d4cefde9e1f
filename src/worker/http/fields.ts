/** Field lines of a head or of trailers (RFC 9112 §5): `name ":" OWS value OWS`, no folding, no blank before the colon. */
import { headerName } from './header-names.ts';
import type { HeaderName } from './header-names.ts';

export type Field = [name: string, value: string];

const space = 0x20;
const tab = 0x09;

/**
 * Parses the lines of `text` from `position` on into `fields` and, in step with them, `names`.
 * Bytes were checked before; what can be wrong is a line without colon or a name that is no token.
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
    for (let code = text.charCodeAt(from); from < to && (code === space || code === tab);)
      code = text.charCodeAt(++from);
    for (let code = text.charCodeAt(to - 1); to > from && (code === space || code === tab);)
      code = text.charCodeAt(--to - 1);
    fields.push([name, text.slice(from, to)]);
    names.push(facts);
    at = lineEnd + 2;
  }
  return true;
}
