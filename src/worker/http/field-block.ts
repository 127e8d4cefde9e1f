/**
 * Reads the field lines of a head as a whole: the fields, their effect on framing, and their environment entries.
 *
 * A block is immutable once read, so all requests that repeat it share one. Clients usually send identical field lines
 * on a kept connection, and recognising them costs one comparison.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import { parseFields } from './field-lines.ts';
import type { Field, HeaderName } from './field-lines.ts';
import { readFraming } from './request-framing.ts';
import type { Framing } from './request-framing.ts';
import type { Version } from './request-line.ts';

export interface FieldBlock {
  /** the text as received, from the first field to the last CRLF; undefined when it is not kept for recognition */
  readonly text: string | undefined;
  readonly version: Version;
  readonly fields: ReadonlyArray<Readonly<Field>>;
  readonly framing: Readonly<Framing>;
  /** HTTP_*, CONTENT_TYPE and CONTENT_LENGTH of the environment */
  readonly variables: Readonly<Record<string, string>>;
}

/** The block before any head was read; it never equals a received one. */
export const noFields: FieldBlock = {
  text: undefined,
  version: 'HTTP/1.1',
  fields: [],
  framing: { body: 'none', length: 0, keepAlive: true, expectsContinue: false },
  variables: {},
};

/**
 * Makes one entry per header, with repeated ones joined. A name with '_' is left out, since it would look like one with
 * '-'.
 */
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

/** The bytes have been checked already. Returns an error code for other faults. */
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

/**
 * Two generations of blocks: a full younger one becomes the older one, and blocks that were not used meanwhile are
 * dropped.
 */
const mostShared = 128;
let young = new Map<string, FieldBlock>();
let old = new Map<string, FieldBlock>();

/**
 * The same, from a cache of all connections, for the first head of a connection: similar clients send identical heads.
 */
export function sharedBlock(text: string, version: Version, maxHeaders: number): FieldBlock | ErrorCode {
  const found = young.get(text) ?? old.get(text);
  if (found?.version === version && found.fields.length <= maxHeaders) {
    if (!young.has(text)) keep(found);
    return found;
  }
  // A copy, since the received text is a slice that would keep the whole chunk in memory.
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
