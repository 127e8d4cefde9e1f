/**
 * The field lines of a head, read as a whole: the fields, what they say about framing, and their environment entries.
 *
 * A block is never changed once read, so one is shared by all requests that repeat it. Clients do: on a kept connection
 * the field lines are the same to the letter from request to request, and recognising that costs one comparison.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import { parseFields } from './field-lines.ts';
import type { Field, HeaderName } from './field-lines.ts';
import { readFraming } from './framing.ts';
import type { Framing } from './framing.ts';
import type { Version } from './request-line.ts';

export interface FieldBlock {
  /** as received, from the first field to the last CRLF; undefined when it is not kept to be recognised */
  readonly text: string | undefined;
  readonly version: Version;
  readonly fields: ReadonlyArray<Readonly<Field>>;
  readonly framing: Readonly<Framing>;
  /** HTTP_*, CONTENT_TYPE and CONTENT_LENGTH of the environment */
  readonly variables: Readonly<Record<string, string>>;
}

/** Before any head was read; never taken for a repeated one. */
export const noFields: FieldBlock = {
  text: undefined,
  version: 'HTTP/1.1',
  fields: [],
  framing: { body: 'none', length: 0, keepAlive: true, expectsContinue: false },
  variables: {},
};

/** One entry a header, repeated ones joined; a name with '_' must not pass for one with '-' and is left out. */
export function fieldVariables(fields: readonly Field[], names: readonly HeaderName[]): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [index, { environKey, separator }] of names.entries()) {
    if (environKey === '') continue;
    const value = fields[index]![1];
    const before = variables[environKey];
    variables[environKey] = before === undefined ? value : before + separator + value;
  }
  return variables;
}

/** The bytes were checked before; what can be wrong is told by its code. */
export function readFieldBlock(text: string, version: Version, maxHeaders: number): FieldBlock | ErrorCode {
  const fields: Field[] = [];
  const names: HeaderName[] = [];
  if (!parseFields(text, 0, fields, names)) return 'BAD_HEADER';
  if (fields.length > maxHeaders) return 'TOO_MANY_HEADERS';
  const framing = readFraming(version, fields, names);
  if (typeof framing === 'string') return framing;
  for (const field of fields) Object.freeze(field);
  return { text, version, fields, framing, variables: fieldVariables(fields, names) };
}

/** Two generations of blocks: when the younger is full it becomes the older, and what nobody asked for again goes. */
const mostShared = 128;
let young = new Map<string, FieldBlock>();
let old = new Map<string, FieldBlock>();

/** The same, shared by all connections: for the first head of one, since clients of a kind all send the same. */
export function sharedBlock(text: string, version: Version, maxHeaders: number): FieldBlock | ErrorCode {
  const found = young.get(text) ?? old.get(text);
  if (found?.version === version && found.fields.length <= maxHeaders) {
    if (!young.has(text)) keep(found);
    return found;
  }
  // A copy of its own: the text received is a slice that would keep the whole chunk alive.
  const block = readFieldBlock(Buffer.from(text, 'latin1').toString('latin1'), version, maxHeaders);
  if (typeof block !== 'string') keep(block);
  return block;
}

function keep(block: FieldBlock): void {
  if (young.size >= mostShared) {
    old = young;
    young = new Map();
  }
  young.set(block.text!, block);
}
