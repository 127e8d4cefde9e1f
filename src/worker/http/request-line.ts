/**
 * Parses the request line: request-line = method SP request-target SP HTTP-version (RFC 9112 §3), and the four forms of
 * the target.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import { absoluteForm, authorityForm, hostAndPort, httpVersion, originForm, token } from './grammar.ts';

export type Version = 'HTTP/1.0' | 'HTTP/1.1';

export interface RequestLine {
  method: string;
  /** as received */
  target: string;
  version: Version;
  /** undecoded path: '' for CONNECT, '*' for a server-wide OPTIONS */
  path: string;
  query: string;
  /** the host of an absolute or authority form, which replaces Host (RFC 9112 §3.2.2); undefined otherwise */
  authority: string | undefined;
}

/** Common methods, as one string each for all connections. */
const knownMethods: ReadonlyMap<string, string> = new Map(
  ['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'PATCH', 'OPTIONS'].map((method) => [method, method]),
);

/**
 * Splits a request line into `into`; returns an error code when it is invalid. `into` is reused, so a request costs no
 * object, and common values share one string, since idle connections keep theirs.
 */
export function parseRequestLine(line: string, into: RequestLine): ErrorCode | undefined {
  into.method = '';
  const methodEnd = line.indexOf(' ');
  // The usual version is checked first: searching backwards for the blank costs more.
  const targetEnd = line.endsWith(' HTTP/1.1') ? line.length - 9 : line.lastIndexOf(' ');
  if (methodEnd <= 0 || targetEnd === methodEnd) return 'BAD_REQUEST_LINE';
  const given = line.slice(0, methodEnd);
  const known = knownMethods.get(given);
  if (known === undefined && !token.test(given)) return 'BAD_REQUEST_LINE';
  const method = known ?? given;
  into.method = method;
  const target = line.slice(methodEnd + 1, targetEnd);
  const version = line.slice(targetEnd + 1);
  if (version === 'HTTP/1.1') into.version = 'HTTP/1.1';
  else if (version === 'HTTP/1.0') into.version = 'HTTP/1.0';
  else return httpVersion.test(version) && !target.includes(' ') ? 'BAD_VERSION' : 'BAD_REQUEST_LINE';
  into.target = target;
  return parseTarget(method, target, into);
}

function parseTarget(method: string, target: string, into: RequestLine): ErrorCode | undefined {
  into.authority = undefined;
  if (method === 'CONNECT') {
    if (!authorityForm.test(target)) return 'BAD_TARGET';
    into.authority = target;
    into.path = '';
    into.query = '';
    return undefined;
  }
  let local = target;
  if (!originForm.test(target)) {
    if (target === '*' && method === 'OPTIONS') {
      into.path = '*';
      into.query = '';
      return undefined;
    }
    const match = absoluteForm.exec(target);
    if (!match || !hostAndPort.test(match[1]!)) return 'BAD_TARGET';
    into.authority = match[1];
    local = match[2] ?? '/';
    // An empty path means '/', except for OPTIONS, where it means the whole server (RFC 9112 §3.2.4).
    if (match[2] === undefined && method === 'OPTIONS') local = '*';
    else if (local.startsWith('?')) local = `/${local}`;
  }
  const question = local.indexOf('?');
  into.path = question < 0 ? local : local.slice(0, question);
  into.query = question < 0 ? '' : local.slice(question + 1);
  return undefined;
}
