/**
 * Comma-separated lists in field values (RFC 9110 §5.6.1). No regular expression trims here: one that looks for blanks
 * at an end takes a time that grows with the square of a long run of them, and a client may send 64 KiB.
 */

const space = 0x20;
const tab = 0x09;

/** Without the blanks and tabs around it. Not trim(), which takes 0xA0 for a blank. */
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

/** The members as they stand, empty ones dropped. */
export function listMembers(value: string): string[] {
  return value
    .split(',')
    .map(trimBlanks)
    .filter((member) => member !== '');
}
