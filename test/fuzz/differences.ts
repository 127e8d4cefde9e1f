/**
 * Every permitted difference between evy and node:http in reading the same bytes, one row each: the input, what evy and
 * node:http do, and why. docs/security.md shows this table; the fuzzer fails at a difference that matches no row.
 */
import { METHODS } from 'node:http';
import type { ErrorCode } from '../../src/shared/errors.ts';
import type { Difference } from './compare.ts';

export interface DifferenceRow {
  readonly what: string;
  readonly evy: string;
  readonly node: string;
  readonly why: string;
  readonly matches: (difference: Difference) => boolean;
}

const nodeMethods: ReadonlySet<string> = new Set(METHODS);
const hasField = (request: Difference['request'], name: string, value = /(?:)/): boolean =>
  request?.fields.some(([key, text]) => key.toLowerCase() === name && value.test(text)) ?? false;
const asksUpgrade = (request: Difference['request']): boolean => hasField(request, 'upgrade');

/** Both servers accepted the head, and evy refuses with one of these codes. */
const refusedWith =
  (...codes: ErrorCode[]) =>
  ({ kind, code }: Difference): boolean =>
    kind === 'refuses' && (codes as string[]).includes(code ?? '');
/** Node's parser refuses text that matches the pattern, with one of these codes, and evy accepts it. */
const acceptsDespite =
  (codes: readonly string[], pattern: RegExp) =>
  ({ kind, code, text }: Difference): boolean =>
    kind === 'accepts' && codes.includes(code ?? '') && pattern.test(text);

const chunkCodes = ['HPE_INVALID_CHUNK_SIZE', 'HPE_STRICT'];
/** `3 ;a = b`: whitespace next to the semicolon or the equals sign of an extension */
const blankInExtension = /\n[0-9A-Fa-f]+(?:[ \t]+;|;(?:[^\r\n]*[;=])?[ \t]|;[^\r\n]*[ \t][;=])/;
/** obs-text in a quoted value of an extension */
const obsTextInExtension = /\n[0-9A-Fa-f]+[ \t]*;[^\r\n]*"[^\r\n]*[\x80-\xff]/;

export const differenceRows: readonly DifferenceRow[] = [
  // evy accepts these, and node:http does not: the RFC requires or allows each.
  {
    what: "a method that is a token and not in Node's list, such as `BREW` or `get`",
    evy: 'to the application',
    node: '400',
    why: 'method = token; the application decides which methods it knows (RFC 9110 §9.1)',
    matches: ({ kind, request }) => kind === 'accepts' && request !== undefined && !nodeMethods.has(request.method),
  },
  {
    what: 'whitespace around `;` and `=` of a chunk extension',
    evy: 'ignored with the extension',
    node: '400',
    why: 'this is BWS, which a recipient must parse and remove (RFC 9112 §7.1.1, RFC 9110 §5.6.3)',
    matches: acceptsDespite(chunkCodes, blankInExtension),
  },
  {
    what: 'bytes from 0x80 in the quoted value of a chunk extension',
    evy: 'ignored with the extension',
    node: '400',
    why: 'a quoted-string may have obs-text (RFC 9110 §5.6.4)',
    matches: acceptsDespite(chunkCodes, obsTextInExtension),
  },
  {
    what: 'a tab after the value of Content-Length or Transfer-Encoding',
    evy: 'removed',
    node: '400',
    why: 'spaces and tabs around a value are OWS, and not part of the value (RFC 9112 §5)',
    matches: acceptsDespite(
      ['HPE_INVALID_CONTENT_LENGTH', 'HPE_INVALID_TRANSFER_ENCODING'],
      /\n(?:content-length|transfer-encoding):[^\r\n]*\t[ \t]*\r/i,
    ),
  },
  {
    what: 'bytes after a request with an Upgrade that is not accepted',
    evy: 'read as the body and the next request',
    node: 'discarded',
    why: 'a server may ignore Upgrade; then the connection stays HTTP/1.1 (RFC 9110 §7.8)',
    matches: ({ kind, request, before, code }) =>
      (kind === 'accepts' && code === undefined && (asksUpgrade(request) || asksUpgrade(before))) ||
      (['body', 'trailers', 'refuses', 'waits'].includes(kind) && asksUpgrade(request)),
  },
  {
    what: '`Connection` in the trailers',
    evy: 'a trailer like any other',
    node: 'treated like a header field',
    why: 'trailers are not merged into the header section (RFC 9110 §6.5.1)',
    matches: ({ kind, code, before }) =>
      kind === 'accepts' &&
      code === 'HPE_CLOSED_CONNECTION' &&
      (before?.trailers?.some(([name]) => /^(proxy-)?connection$/i.test(name)) ?? false),
  },

  // Both servers accept these, and read them differently.
  {
    what: '`Connection: keep-alive, close`, in one field or two',
    evy: 'the connection is closed after the response',
    node: 'the connection is kept',
    why: 'close wins over all other options (RFC 9112 §9.3)',
    matches: (difference) =>
      difference.kind === 'keepAlive' &&
      difference.request?.keepAlive === false &&
      hasField(difference.request, 'connection', /close/i),
  },
  {
    what: 'a tab next to an option of Connection',
    evy: 'removed',
    node: 'part of the option, which is then not recognised',
    why: 'spaces and tabs around the members of a list are OWS (RFC 9110 §5.6.1)',
    matches: ({ kind, text }) => kind === 'keepAlive' && /\nconnection:[^\r\n]*\t/i.test(text),
  },
  {
    what: '`Proxy-Connection`',
    evy: 'has no special meaning',
    node: 'treated like `Connection`',
    why: 'this field is not part of HTTP, and must not be relied upon (RFC 9112 appendix C.2.2)',
    matches: (difference) => difference.kind === 'keepAlive' && hasField(difference.request, 'proxy-connection'),
  },

  // evy refuses these, and node:http accepts them: evy takes the strict choice of the RFC.
  {
    what: 'a request line without a version, as in HTTP/0.9',
    evy: '400',
    node: 'to the application',
    why: 'a request-line has three parts (RFC 9112 §3)',
    matches: refusedWith('BAD_REQUEST_LINE'),
  },
  {
    what: 'HTTP/0.9 and HTTP/2.0 in a request line',
    evy: '505',
    node: 'to the application',
    why: 'these versions are not implemented (RFC 9110 §15.6.6)',
    matches: refusedWith('BAD_VERSION'),
  },
  {
    what: 'an invalid target: with a fragment, user information or bytes from 0x80, `*` for a method other than OPTIONS, or without a host',
    evy: '400',
    node: 'to the application',
    why: 'each form is allowed for certain methods only, and a target must be a valid URI (RFC 9112 §3.2)',
    matches: refusedWith('BAD_TARGET'),
  },
  {
    what: 'a Host that is empty, malformed or repeated, or with a port above 65535',
    evy: '400',
    node: 'to the application',
    why: 'a server must respond with 400 (RFC 9112 §3.2)',
    matches: refusedWith('BAD_HOST'),
  },
  {
    what: 'a bare LF, or a control character',
    evy: '400',
    node: 'to the application in some places',
    why: 'accepting them is optional, and allows request smuggling (RFC 9112 §2.2)',
    matches: refusedWith('BAD_BYTE'),
  },
  {
    what: 'Transfer-Encoding in HTTP/1.0, with Content-Length, or repeated',
    evy: '400',
    node: 'to the application in some combinations',
    why: 'a recipient must treat the framing of such a message as faulty (RFC 9112 §6.1)',
    matches: refusedWith('BAD_TRANSFER_ENCODING'),
  },
  {
    what: 'a transfer coding other than `chunked`',
    evy: '501',
    node: 'to the application in some combinations',
    why: 'evy does not implement other codings (RFC 9112 §6.1)',
    matches: refusedWith('UNKNOWN_TRANSFER_CODING'),
  },
  {
    what: 'a Content-Length from 2^53 on',
    evy: '400',
    node: 'to the application',
    why: 'a recipient must prevent errors by the overflow of large numbers (RFC 9110 §8.6)',
    matches: refusedWith('BAD_CONTENT_LENGTH'),
  },
  {
    what: 'a malformed chunk extension, or more than 16 KiB of extensions',
    evy: '400',
    node: 'ignored with the extension',
    why: 'a chunk line that cannot be parsed does not begin a chunk (RFC 9112 §7.1, §7.1.1)',
    matches: refusedWith('BAD_CHUNK'),
  },
  {
    what: 'Expect with a member other than 100-continue',
    evy: '417',
    node: 'to the application in some combinations',
    why: 'evy cannot meet other expectations (RFC 9110 §10.1.1)',
    matches: refusedWith('UNKNOWN_EXPECTATION'),
  },
];

/** The row that permits a difference; undefined for a finding. */
export function rowOf(difference: Difference): DifferenceRow | undefined {
  return differenceRows.find((row) => row.matches(difference));
}
