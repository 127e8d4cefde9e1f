/** One constant per production of RFC 9110 and 9112 that is checked, always in its strict form. */

/** token = 1*tchar (RFC 9110 §5.6.2) */
export const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * Bytes that no message head may contain: control characters other than HTAB, and a CR or LF that is not part of a
 * CRLF. (RFC 9112 §2.2 permits a bare LF as line end; that leniency allows request smuggling.) A CR at the very end of
 * the text is checked together with the next byte.
 */
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
export const badHeadByte = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n|$)|(?<!\r)\n/;

/** origin-form = absolute-path [ "?" query ] (RFC 9112 §3.2.1). Visible ASCII, as browsers send it; never a fragment. */
export const originForm = /^\/[!"$-~]*$/;

/** absolute-form of http(s) URIs (RFC 9112 §3.2.2), split into authority and the rest. */
export const absoluteForm = /^https?:\/\/([^/?#]+)([/?][!"$-~]*)?$/i;

const octet = '(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])';
const h16 = '[0-9A-Fa-f]{1,4}';
const ls32 = String.raw`(?:${h16}:${h16}|${octet}(?:\.${octet}){3})`;
/** `::` takes the place of one group or more: so many may stand before it when so many stand behind. No zone (RFC 9110 §4.2). */
const before = (most: number): string => `(?:(?:${h16}:){0,${most - 1}}${h16})?`;
/** IPv6address (RFC 3986 §3.2.2), line by line */
const ipv6Address = [
  `(?:${h16}:){6}${ls32}`,
  `::(?:${h16}:){5}${ls32}`,
  `${before(1)}::(?:${h16}:){4}${ls32}`,
  `${before(2)}::(?:${h16}:){3}${ls32}`,
  `${before(3)}::(?:${h16}:){2}${ls32}`,
  `${before(4)}::${h16}:${ls32}`,
  `${before(5)}::${ls32}`,
  `${before(6)}::${h16}`,
  `${before(7)}::`,
].join('|');
const ipv6 = String.raw`\[(?:${ipv6Address})\]`;
const ipFuture = String.raw`\[v[0-9A-Fa-f]+\.[A-Za-z0-9\-._~!$&'()*+,;=:]+\]`;
const regName = String.raw`(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+`;

/** A valid TCP port (RFC 9293 §3.1), in at most five digits. */
const port = '(?:[0-5]?[0-9]{1,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';

/** Host = uri-host [ ":" port ] (RFC 9110 §7.2); an empty host is invalid in http (RFC 9110 §4.2.1). */
export const hostAndPort = new RegExp(`^(?:${ipv6}|${ipFuture}|${regName})(?::${port}?)?$`);

/** authority-form of CONNECT, where the port is required (RFC 9112 §3.2.3). */
export const authorityForm = new RegExp(`^(?:${ipv6}|${ipFuture}|${regName}):${port}$`);

/** HTTP-version (RFC 9112 §2.3) */
export const httpVersion = /^HTTP\/[0-9]\.[0-9]$/;

const ext = String.raw`[ \t]*;[ \t]*[!#$%&'*+\-.^_\x60|~0-9A-Za-z]+`;
const extValue = String.raw`[ \t]*=[ \t]*(?:[!#$%&'*+\-.^_\x60|~0-9A-Za-z]+|"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*")`;

/** chunk-size [ chunk-ext ] (RFC 9112 §7.1.1); 13 hex digits stay below 2^53. */
export const chunkLine = new RegExp(`^(0*[0-9A-Fa-f]{1,13})(?:${ext}(?:${extValue})?)*$`);

/** The beginning of a chunk line while it can still become valid. */
export const chunkLineStart = /^[0-9A-Fa-f]+(?:[ \t]*(?:;[^\r\n]*)?\r?)?$/;

/** Characters of a response header value: latin-1 without controls except HTAB (RFC 9110 §5.5). */
export const fieldValue = /^[\t\x20-\x7e\x80-\xff]*$/;
