/**
 * Parses `logFormat` into pieces, or explains what is wrong. Pure: the master checks the option with it, the workers
 * compile the line.
 *
 * A format is a name (eventlet, common, combined, json) or a text with
 *
 * - `%(name)s`, for a number also `%(name)d` and `%(name).3f`: a field of the table
 * - `%({Header-Name}i)s`, `%({Header-Name}o)s`: a header of the request, of the response
 * - `%({key}e)s`: a text entry of the environment
 * - `%%`: a percent sign
 */
import { accessFieldTable, fieldNames, isFieldName, namedFormats, type FieldName } from './access-fields.ts';
import { suggest } from './suggest.ts';

export type Conversion = { as: 's' | 'd' } | { as: 'f'; digits: number };
export type FormatPiece =
  | { kind: 'literal'; text: string }
  | { kind: 'field'; name: FieldName; conversion: Conversion }
  | { kind: 'request-header' | 'response-header' | 'environ'; name: string };

export type ParsedFormat =
  | { kind: 'json' }
  | { kind: 'pieces'; pieces: FormatPiece[] }
  | { kind: 'wrong'; why: string };

const formatNames = [...namedFormats.keys(), 'json'];
const directive = /%(?:%|\((\w+|\{[^{}]+\}[a-z])\)(?:\.(\d{1,2}))?([a-zA-Z])|\()/g;
const variable = /^\{(.+)\}([a-z])$/;
const headerToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const variableKinds = { i: 'request-header', o: 'response-header', e: 'environ' } as const;

const didYouMean = (word: string, known: Iterable<string>): string => {
  const found = suggest(word, known);
  return found === undefined ? '' : `: did you mean ${found}?`;
};

function conversionOf(letter: string, digits: string | undefined): Conversion | undefined {
  if (letter === 'f') return { as: 'f', digits: Number(digits ?? 6) };
  return digits === undefined && (letter === 's' || letter === 'd') ? { as: letter } : undefined;
}

/** Returns the piece of a directive, or the reason why it is invalid. */
function pieceOf(whole: string, name: string, conversion: Conversion | undefined): FormatPiece | string {
  if (conversion === undefined) return `${whole} must end in s, d or f`;
  const match = variable.exec(name);
  if (match !== null) {
    const [, key = '', letter = ''] = match;
    if (!Object.hasOwn(variableKinds, letter))
      return `the letter behind the braces of ${whole} must be i (request header), o (response header) or e (environment)`;
    if (conversion.as !== 's') return `${whole} is text, so it must end in s`;
    const kind = variableKinds[letter as keyof typeof variableKinds];
    if (kind !== 'environ' && !headerToken.test(key)) return `${key} is not a header name`;
    return { kind, name: key };
  }
  if (!isFieldName(name)) return `there is no field ${name}${didYouMean(name, fieldNames)}`;
  if (conversion.as !== 's' && accessFieldTable[name].kind !== 'number')
    return `the field ${name} is text, so it must end in s`;
  return { kind: 'field', name, conversion };
}

export function parseFormat(given: string): ParsedFormat {
  if (given === 'json') return { kind: 'json' };
  const format = namedFormats.get(given) ?? given;
  const pieces: FormatPiece[] = [];
  let from = 0;
  const literal = (text: string) => {
    if (text !== '') pieces.push({ kind: 'literal', text });
  };
  const loose = format.replaceAll(directive, '').indexOf('%');
  for (const match of format.matchAll(directive)) {
    literal(format.slice(from, match.index));
    const [whole, name, digits, letter] = match;
    from = match.index + whole.length;
    if (whole === '%%') {
      literal('%');
      continue;
    }
    if (name === undefined)
      return { kind: 'wrong', why: `a field must be written %(name)s, but there is ${format.slice(match.index)}` };
    const piece = pieceOf(whole, name, conversionOf(letter!, digits));
    if (typeof piece === 'string') return { kind: 'wrong', why: piece };
    pieces.push(piece);
  }
  literal(format.slice(from));
  if (loose >= 0) return { kind: 'wrong', why: 'a percent sign must be written %%, and a field %(name)s' };
  if (/[\r\n]/.test(format)) return { kind: 'wrong', why: 'the text must not contain a line end' };
  if (pieces.every(({ kind }) => kind === 'literal')) {
    return { kind: 'wrong', why: `the text has no field${didYouMean(given, formatNames)}` };
  }
  return { kind: 'pieces', pieces };
}
