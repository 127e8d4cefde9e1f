/** `traceparent` of W3C Trace Context §3.2: version, trace id, parent id, flags, each in lower-case hex. */

const version00 = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** A later version may append to what version 00 holds (§3.2.1); 'ff' is invalid. */
const laterVersion = /^(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-[!-~]*)?$/;

/** The longest that is taken; version 00 has 55. */
const maxLength = 128;

/** The value when it follows the grammar; a repeated field, joined by a comma, does not. */
export function validTraceparent(value: string | undefined): string | undefined {
  if (value === undefined || value.length > maxLength) return undefined;
  return version00.test(value) || laterVersion.test(value) ? value : undefined;
}
