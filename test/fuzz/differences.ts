/**
 * Every difference between evy and node:http about the same bytes that is meant to be, one row each: what it is about,
 * what either does, and why. docs/security.md shows this table; a difference that no row knows fails the fuzzer.
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

/** Both took the head, and evy refuses with one of these codes. */
const refusedWith =
  (...codes: ErrorCode[]) =>
  ({ kind, code }: Difference): boolean =>
    kind === 'refuses' && (codes as string[]).includes(code ?? '');
/** Node's parser refuses with one of these codes, in text like this, and evy does not. */
const acceptsDespite =
  (codes: readonly string[], pattern: RegExp) =>
  ({ kind, code, text }: Difference): boolean =>
    kind === 'accepts' && codes.includes(code ?? '') && pattern.test(text);

const chunkCodes = ['HPE_INVALID_CHUNK_SIZE', 'HPE_STRICT'];
/** `3 ;a = b`: a blank beside the semicolon or the equals sign of an extension */
const blankInExtension = /\n[0-9A-Fa-f]+(?:[ \t]+;|;(?:[^\r\n]*[;=])?[ \t]|;[^\r\n]*[ \t][;=])/;
/** obs-text in a quoted value of an extension */
const obsTextInExtension = /\n[0-9A-Fa-f]+[ \t]*;[^\r\n]*"[^\r\n]*[\x80-\xff]/;

export const differenceRows: readonly DifferenceRow[] = [
  // What evy takes and node:http does not: each because the RFC says so.
  {
    what: "a method that is a token and not in node's list, as `BREW` or `get`",
    evy: 'to the application',
    node: '400',
    why: "method = token; whether it is known is the application's to say (RFC 9110 §9.1)",
    matches: ({ kind, request }) => kind === 'accepts' && request !== undefined && !nodeMethods.has(request.method),
  },
  {
    what: 'blanks around `;` and `=` of a chunk extension',
    evy: 'ignored with the extension',
    node: '400',
    why: 'BWS, which a recipient must parse and remove (RFC 9112 §7.1.1, RFC 9110 §5.6.3)',
    matches: acceptsDespite(chunkCodes, blankInExtension),
  },
  {
    what: 'bytes from 0x80 in the quoted value of a chunk extension',
    evy: 'ignored with the extension',
    node: '400',
    why: 'obs-text may stand in a quoted-string (RFC 9110 §5.6.4)',
    matches: acceptsDespite(chunkCodes, obsTextInExtension),
  },
  {
    what: 'a tab behind the value of Content-Length or Transfer-Encoding',
    evy: 'removed',
    node: '400',
    why: 'OWS around a value is blanks and tabs, and no part of it (RFC 9112 §5)',
    matches: acceptsDespite(
      ['HPE_INVALID_CONTENT_LENGTH', 'HPE_INVALID_TRANSFER_ENCODING'],
      /\n(?:content-length|transfer-encoding):[^\r\n]*\t[ \t]*\r/i,
    ),
  },
  {
    what: 'bytes after a request with an Upgrade that nobody takes',
    evy: 'the body, and the next request',
    node: 'lost',
    why: 'a server may ignore Upgrade; the connection is HTTP/1.1 then (RFC 9110 §7.8)',
    matches: ({ kind, request, before, code }) =>
      (kind === 'accepts' && code === undefined && (asksUpgrade(request) || asksUpgrade(before))) ||
      (['body', 'trailers', 'refuses', 'waits'].includes(kind) && asksUpgrade(request)),
  },
  {
    what: '`Connection` among the trailers',
    evy: 'a trailer like any other',
    node: 'as in the header',
    why: 'trailers are not merged into the header (RFC 9110 §6.5.1)',
    matches: ({ kind, code, before }) =>
      kind === 'accepts' &&
      code === 'HPE_CLOSED_CONNECTION' &&
      (before?.trailers?.some(([name]) => /^(proxy-)?connection$/i.test(name)) ?? false),
  },

  // What both take, and read otherwise.
  {
    what: '`Connection: keep-alive, close`, in one field or two',
    evy: 'the last request',
    node: 'the connection is kept',
    why: 'close decides whatever else is there (RFC 9112 §9.3)',
    matches: (difference) =>
      difference.kind === 'keepAlive' &&
      difference.request?.keepAlive === false &&
      hasField(difference.request, 'connection', /close/i),
  },
  {
    what: 'a tab beside an option of Connection',
    evy: 'removed',
    node: 'part of the option, which is another one then',
    why: 'OWS around the members of a list is blanks and tabs (RFC 9110 §5.6.1)',
    matches: ({ kind, text }) => kind === 'keepAlive' && /\nconnection:[^\r\n]*\t/i.test(text),
  },
  {
    what: '`Proxy-Connection`',
    evy: 'a field like any other',
    node: 'as `Connection`',
    why: 'no field of HTTP; what it says is not to be relied upon (RFC 9112 appendix C.2.2)',
    matches: (difference) => difference.kind === 'keepAlive' && hasField(difference.request, 'proxy-connection'),
  },

  // What evy refuses and node:http takes: the strict choice where the RFC has one.
  {
    what: 'a request line without version, as HTTP/0.9 had it',
    evy: '400',
    node: 'to the application',
    why: 'request-line has three parts (RFC 9112 §3)',
    matches: refusedWith('BAD_REQUEST_LINE'),
  },
  {
    what: 'HTTP/0.9 and HTTP/2.0 in a request line',
    evy: '505',
    node: 'to the application',
    why: 'a version that is not implemented (RFC 9110 §15.6.6)',
    matches: refusedWith('BAD_VERSION'),
  },
  {
    what: 'a target of the wrong form: with a fragment, user information, bytes from 0x80, `*` but for OPTIONS, no host',
    evy: '400',
    node: 'to the application',
    why: 'each form belongs to its methods, and a target is a URI (RFC 9112 §3.2)',
    matches: refusedWith('BAD_TARGET'),
  },
  {
    what: 'a Host that is empty, malformed or repeated, or with a port above 65535',
    evy: '400',
    node: 'to the application',
    why: 'a server must answer 400 (RFC 9112 §3.2)',
    matches: refusedWith('BAD_HOST'),
  },
  {
    what: 'a bare LF, or a control character',
    evy: '400',
    node: 'to the application in some places',
    why: 'the leniency is optional, and how requests are smuggled (RFC 9112 §2.2)',
    matches: refusedWith('BAD_BYTE'),
  },
  {
    what: 'Transfer-Encoding in HTTP/1.0, with Content-Length, or twice',
    evy: '400',
    node: 'to the application in some combinations',
    why: 'its framing is faulty, and must be taken so (RFC 9112 §6.1)',
    matches: refusedWith('BAD_TRANSFER_ENCODING'),
  },
  {
    what: 'a transfer coding other than `chunked`',
    evy: '501',
    node: 'to the application in some combinations',
    why: 'a coding that is not understood (RFC 9112 §6.1)',
    matches: refusedWith('UNKNOWN_TRANSFER_CODING'),
  },
  {
    what: 'a Content-Length from 2^53 on',
    evy: '400',
    node: 'to the application',
    why: 'a recipient must expect large numbers and not let them overflow (RFC 9110 §8.6)',
    matches: refusedWith('BAD_CONTENT_LENGTH'),
  },
  {
    what: 'a malformed chunk extension, and more than 16 KiB of them',
    evy: '400',
    node: 'ignored with the extension',
    why: 'a chunk line that cannot be parsed is no chunk (RFC 9112 §7.1, §7.1.1)',
    matches: refusedWith('BAD_CHUNK'),
  },
  {
    what: 'Expect with anything beside 100-continue',
    evy: '417',
    node: 'to the application in some combinations',
    why: 'an expectation that is not met (RFC 9110 §10.1.1)',
    matches: refusedWith('UNKNOWN_EXPECTATION'),
  },
];

/** The row of a difference; none is a finding. */
export function rowOf(difference: Difference): DifferenceRow | undefined {
  return differenceRows.find((row) => row.matches(difference));
}
