/**
 * Values in a line, such that nobody can forge a line or a field: an access log is printable ASCII whatever the client
 * sent. Most values are that already, which one test tells.
 */

/** Anything but printable ASCII without the quotation mark and the backslash. */
const unsafe = /[^ !#-[\]-~]/;
const unsafeAll = /[^ !#-[\]-~]/gu;
/** What JSON.stringify leaves as it is: some readers take U+0085 and U+2028 for line ends, terminals obey C1 controls. */
const beyondAscii = /[\x7f-\uffff]/g;

const hex = (byte: number, digits: number): string => byte.toString(16).padStart(digits, '0');

/** A character up to U+00FF is a byte as it was received; beyond, it is an application's, and its UTF-8 bytes are shown. */
function hexBytes(character: string): string {
  const code = character.codePointAt(0)!;
  if (code <= 0xff) return `\\x${hex(code, 2)}`;
  return Array.from(Buffer.from(character), (byte) => `\\x${hex(byte, 2)}`).join('');
}

/** For text formats: `\xNN` for all that is not printable ASCII, and for quotation marks and backslashes. */
export function escapeText(text: string): string {
  return unsafe.test(text) ? text.replace(unsafeAll, hexBytes) : text;
}

/** A JSON string in ASCII. */
export function jsonString(text: string): string {
  if (!unsafe.test(text)) return `"${text}"`;
  return JSON.stringify(text).replace(beyondAscii, (unit) => `\\u${hex(unit.charCodeAt(0), 4)}`);
}
