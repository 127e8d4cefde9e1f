/**
 * Compiles a format to one function from a record to a line: each field costs a read, a comparison and a concatenation,
 * and no object. Values are escaped, so a line is printable ASCII whatever the client sent, and no client can forge a
 * line or a field.
 */
import { jsonFields, jsonKey } from '../../shared/options/access-fields.ts';
import { parseFormat, type Conversion, type FormatPiece } from '../../shared/options/access-format.ts';
import { EvyError } from '../../shared/errors.ts';
import { environField, fieldReaders, requestHeader, responseHeader } from './fields.ts';
import type { FieldReaders, FieldValue, LogFacts, ReadField } from './fields.ts';
import type { AccessRecord } from './record.ts';

export type MakeLine = (record: AccessRecord) => string;

/** Formats a value for a line. */
type Show = (value: FieldValue) => string;

/**
 * One value of a record and the literal text behind it. Values often repeat, so the last result is cached: a comparison
 * costs less than escaping and concatenating.
 */
class Piece {
  readonly read: ReadField;
  readonly show: Show;
  last: FieldValue;
  shown: string;

  constructor(read: ReadField, show: Show, behind: string) {
    this.read = read;
    this.show = (value) => show(value) + behind;
    this.shown = this.show(undefined);
  }
}

/** An empty value becomes '-', since an empty one would shift the fields behind it. */
const showText: Show = (value) => (value === undefined || value === '' ? '-' : escapeText(String(value)));

function showNumber(digits: number | undefined): Show {
  return (value) => {
    if (typeof value !== 'number') return '-';
    return digits === undefined ? String(Math.trunc(value)) : value.toFixed(digits);
  };
}

const showJson: Show = (value) => (typeof value === 'string' ? jsonString(value) : String(value ?? null));

function showAs(conversion: Conversion): Show {
  if (conversion.as === 's') return showText;
  return showNumber(conversion.as === 'f' ? conversion.digits : undefined);
}

const showNext: Show = (value) => (value === undefined || value === '' ? '' : ` ${escapeText(String(value))}`);

/**
 * The request line is compiled as its three parts, which avoids making a string only to check it. Either all three are
 * present or none.
 */
function requestLine({ method, target, protocol }: FieldReaders, behind: string): Piece[] {
  return [new Piece(method, showText, ''), new Piece(target, showNext, ''), new Piece(protocol, showNext, behind)];
}

function lineOf(first: string, pieces: readonly Piece[]): MakeLine {
  return (record) => {
    let line = first;
    for (const piece of pieces) {
      const value = piece.read(record);
      if (value !== piece.last) {
        piece.last = value;
        piece.shown = piece.show(value);
      }
      line += piece.shown;
    }
    return line;
  };
}

function jsonLine(facts: LogFacts): MakeLine {
  const readers = fieldReaders(facts);
  const keys = jsonFields.map((name) => `"${jsonKey(name)}":`);
  const pieces = jsonFields.map((name, index) => {
    const next = keys[index + 1];
    return new Piece(readers[name], showJson, next === undefined ? '}\n' : `,${next}`);
  });
  return lineOf(`{${keys[0] ?? ''}`, pieces);
}

function piecesOf(value: Exclude<FormatPiece, { kind: 'literal' }>, readers: FieldReaders, behind: string): Piece[] {
  switch (value.kind) {
    case 'field':
      if (value.name === 'request_line') return requestLine(readers, behind);
      return [new Piece(readers[value.name], showAs(value.conversion), behind)];
    case 'request-header':
      return [new Piece(requestHeader(value.name), showText, behind)];
    case 'response-header':
      return [new Piece(responseHeader(value.name), showText, behind)];
    case 'environ':
      return [new Piece(environField(value.name), showText, behind)];
  }
}

/** Each line ends with LF. @throws {EvyError} BAD_OPTION on a format that the option's check would have refused */
export function compileFormat(format: string, facts: LogFacts): MakeLine {
  const parsed = parseFormat(format);
  if (parsed.kind === 'wrong') throw new EvyError('BAD_OPTION', `option logFormat: ${parsed.why}`);
  if (parsed.kind === 'json') return jsonLine(facts);
  const readers = fieldReaders(facts);
  const pieces: Piece[] = [];
  // Compiled from the end, since each value needs the text behind it.
  let behind = '\n';
  for (const one of parsed.pieces.toReversed()) {
    if (one.kind === 'literal') behind = one.text + behind;
    else {
      pieces.unshift(...piecesOf(one, readers, behind));
      behind = '';
    }
  }
  return lineOf(behind, pieces);
}

/** Everything but printable ASCII without the quotation mark and the backslash. */
const unsafe = /[^ !#-[\]-~]/;
const unsafeAll = /[^ !#-[\]-~]/gu;
/**
 * Characters that JSON.stringify does not escape: some readers take U+0085 and U+2028 for line ends, and terminals
 * execute C1 controls.
 */
const beyondAscii = /[\x7f-\uffff]/g;

const hex = (byte: number, digits: number): string => byte.toString(16).padStart(digits, '0');

/**
 * A character up to U+00FF is a byte as received. A larger one comes from the application, and its UTF-8 bytes are
 * shown.
 */
function hexBytes(character: string): string {
  const code = character.codePointAt(0)!;
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return Array.from(Buffer.from(character), (byte) => `\\x${hex(byte, 2)}`).join('');
}

/**
 * Escapes for text formats: `\xNN` for everything that is not printable ASCII, and for quotation marks and backslashes.
 */
function escapeText(text: string): string {
  return unsafe.test(text) ? text.replace(unsafeAll, hexBytes) : text;
}

/** A JSON string in ASCII. */
function jsonString(text: string): string {
  if (!unsafe.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(beyondAscii, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);
}
