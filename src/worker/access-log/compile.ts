/**
 * A format as one function from a record to a line, made once: a line costs a read, a test and a concatenation a field,
 * and no object.
 */
import { jsonFields, jsonKey, type FieldName } from '../../shared/access-fields.ts';
import { parseFormat, type Conversion, type FormatPiece } from '../../shared/access-format.ts';
import { EvyError } from '../../shared/errors.ts';
import { escapeText, jsonString } from './escape.ts';
import { environField, fieldReaders, requestHeader, responseHeader } from './fields.ts';
import type { LogFacts, ReadField } from './fields.ts';
import type { AccessRecord } from './record.ts';

export type MakeLine = (record: AccessRecord) => string;

/** Fields that are printable ASCII by their making. */
const printable: ReadonlySet<FieldName> = new Set(['date_time', 'time_local', 'time_iso', 'protocol', 'outcome']);

/** Clients and requests repeat themselves: the last value is often the next one, and comparing costs less than escaping. */
function remembering(escape: (text: string) => string): (text: string) => string {
  let last = '';
  let escaped = escape('');
  return (text) => {
    if (text === last) return escaped;
    last = text;
    escaped = escape(text);
    return escaped;
  };
}

/** An empty value would shift the fields behind it. */
const textOrDash = (text: string): string => (text === '' ? '-' : escapeText(text));

function asText(read: ReadField): MakeLine {
  const escape = remembering(textOrDash);
  return (record) => {
    const value = read(record);
    if (typeof value === 'string') return escape(value);
    return value === undefined ? '-' : String(value);
  };
}

function asNumber(read: ReadField, conversion: Conversion): MakeLine {
  if (conversion.as === 's') return asText(read);
  const { digits } = conversion.as === 'f' ? conversion : { digits: undefined };
  return (record) => {
    const value = read(record);
    if (typeof value !== 'number') return '-';
    return digits === undefined ? String(Math.trunc(value)) : value.toFixed(digits);
  };
}

function asJson(read: ReadField, quote: (text: string) => string): MakeLine {
  return (record) => {
    const value = read(record);
    if (typeof value === 'string') return quote(value);
    return value === undefined ? 'null' : String(value);
  };
}

/** The parts apart: putting them together first would make a new string only to look through it. */
function requestLine(): MakeLine {
  const [method, target] = [remembering(escapeText), remembering(escapeText)];
  return ({ request }) =>
    request.method === '' ? '-' : `${method(request.method)} ${target(request.target)} ${request.version}`;
}

function fieldText(name: FieldName, read: ReadField, conversion: Conversion): MakeLine {
  if (name === 'request_line') return requestLine();
  if (printable.has(name)) return (record) => String(read(record) || '-');
  return asNumber(read, conversion);
}

/** Texts and what stands between them: `texts` has one more than `values`. */
function lineOf(texts: readonly string[], values: readonly MakeLine[]): MakeLine {
  const [first = ''] = texts;
  return (record) => {
    let line = first;
    for (let index = 0; index < values.length; index += 1) line += values[index]!(record) + texts[index + 1]!;
    return line;
  };
}

function jsonLine(facts: LogFacts): MakeLine {
  const readers = fieldReaders(facts);
  const texts = jsonFields.map((name, index) => `${index === 0 ? '{' : ','}"${jsonKey(name)}":`);
  const values = jsonFields.map((name) => {
    return asJson(readers[name], printable.has(name) ? (text) => `"${text}"` : remembering(jsonString));
  });
  return lineOf([...texts, '}\n'], values);
}

function valueOf(piece: Exclude<FormatPiece, { kind: 'literal' }>, facts: LogFacts): MakeLine {
  switch (piece.kind) {
    case 'field':
      return fieldText(piece.name, fieldReaders(facts)[piece.name], piece.conversion);
    case 'request-header':
      return asText(requestHeader(piece.name));
    case 'response-header':
      return asText(responseHeader(piece.name));
    case 'environ':
      return asText(environField(piece.name));
  }
}

/** Lines end with LF. @throws {EvyError} BAD_OPTION on a format that the option's check would have refused */
export function compileFormat(format: string, facts: LogFacts): MakeLine {
  const parsed = parseFormat(format);
  if (parsed.kind === 'wrong') throw new EvyError('BAD_OPTION', `option logFormat: ${parsed.why}`);
  if (parsed.kind === 'json') return jsonLine(facts);
  const texts = [''];
  const values: MakeLine[] = [];
  for (const piece of parsed.pieces) {
    if (piece.kind === 'literal') texts[texts.length - 1] += piece.text;
    else {
      values.push(valueOf(piece, facts));
      texts.push('');
    }
  }
  texts[texts.length - 1] += '\n';
  return lineOf(texts, values);
}
