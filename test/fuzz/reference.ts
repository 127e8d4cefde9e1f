/**
 * A second reading of RFC 9112, as plain as it can be: the whole input at once, no state, no speed, and no code
 * or pattern of the parser's. What the two make of the same bytes has to agree.
 */
import { isIPv6 } from 'node:net';

export interface ReferenceRequest {
  method: string;
  target: string;
  fields: [string, string][];
  keepAlive: boolean;
  body: string;
  trailers: [string, string][];
}

const isToken = (text: string): boolean => text !== '' && !/[^!#-'*+\-.0-9A-Z^-z|~]/.test(text);
const isLine = (text: string): boolean =>
  Array.from(text).every((char) => char === '\t' || (char >= ' ' && char !== '\x7f'));
/** Of OWS alone. */
const trim = (text: string): string => text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '');

function isHost(host: string): boolean {
  const port = /:\d{0,5}$/.exec(host)?.[0] ?? '';
  if (Number(port.slice(1)) > 65_535) return false;
  const name = host.slice(0, host.length - port.length);
  if (name.startsWith('[')) {
    const inside = name.slice(1, -1);
    return (
      name.endsWith(']') &&
      (isIPv6(inside) ? !inside.includes('%') : /^v[\da-f]+\.[\w\-.~!$&'()*+,;=:]+$/i.test(inside))
    );
  }
  return name !== '' && /^[\w\-.~!$&'()*+,;=%]*$/.test(name) && !/%(?![\da-f]{2})/i.test(name);
}

function isTarget(method: string, target: string): boolean {
  if (method === 'CONNECT') return isHost(target) && /:\d+$/.test(target);
  if (target === '*') return method === 'OPTIONS';
  if (Array.from(target).some((char) => char <= ' ' || char > '~' || char === '#')) return false;
  if (target.startsWith('/')) return true;
  const [, authority] = /^https?:\/\/([^/?]*)/i.exec(target) ?? [];
  return authority !== undefined && isHost(authority);
}

function fieldOf(line: string): [string, string] | undefined {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(colon, 0));
  return isToken(name) && isLine(line) ? [name, trim(line.slice(colon + 1))] : undefined;
}

function fieldsOf(lines: readonly string[]): [string, string][] | undefined {
  const fields = lines.map(fieldOf);
  return fields.every((field) => field !== undefined) ? fields : undefined;
}

const valuesOf = (fields: [string, string][], name: string): string[] =>
  fields.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value);

/** Extensions one after the other; what is left has to be nothing. */
function isExtensions(text: string): boolean {
  const one = /^[ \t]*;[ \t]*([^\s;="]+)(?:[ \t]*=[ \t]*(?:"((?:\\.|[^\\"])*)"|([^\s;="]+)))?/.exec(text);
  if (text === '') return true;
  if (one === null || !isToken(one[1]!) || (one[3] !== undefined && !isToken(one[3]))) return false;
  return isLine(one[2] ?? '') && isExtensions(text.slice(one[0].length));
}

/** The one limit that inputs reach: chunk lines are bounded however valid they are. */
const maxChunkLineBytes = 1024;

type Body = { body: string; trailers: [string, string][]; rest: string };

/** Undefined when it is wrong, or not whole. */
function chunked(text: string): Body | undefined {
  let [body, rest] = ['', text];
  for (;;) {
    const end = rest.indexOf('\r\n');
    const [, digits, extensions] = /^([\da-f]+)([^]*)$/i.exec(rest.slice(0, Math.max(end, 0))) ?? [];
    if (end + 2 > maxChunkLineBytes) return undefined;
    if (digits === undefined || digits.replace(/^0+/, '').length > 13 || !isExtensions(extensions!)) return undefined;
    const size = Number.parseInt(digits, 16);
    rest = rest.slice(end + 2);
    if (size === 0) break;
    if (rest.slice(size, size + 2) !== '\r\n') return undefined;
    body += rest.slice(0, size);
    rest = rest.slice(size + 2);
  }
  const end = `\r\n${rest}`.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const trailers = fieldsOf(end === 0 ? [] : rest.slice(0, end - 2).split('\r\n'));
  if (trailers === undefined) return undefined;
  if (trailers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))) return undefined;
  return { body, trailers, rest: rest.slice(end + 2) };
}

function bodyOf(rest: string, length: string | undefined, isChunked: boolean): Body | undefined {
  if (isChunked) return chunked(rest);
  const size = Number(length ?? 0);
  if (length !== undefined && (!/^\d{1,16}$/.test(length) || size > Number.MAX_SAFE_INTEGER)) return undefined;
  return size > rest.length ? undefined : { body: rest.slice(0, size), trailers: [], rest: rest.slice(size) };
}

/** The first request of the text, and what is behind it; undefined when it is wrong, or not whole. */
function first(text: string): { request: ReferenceRequest; rest: string } | undefined {
  const start = text.replace(/^(?:\r\n){1,8}/, '');
  const headEnd = start.indexOf('\r\n\r\n');
  const [requestLine = '', ...lines] = start.slice(0, Math.max(headEnd, 0)).split('\r\n');
  const [method = '', target = '', version = '', ...more] = requestLine.split(' ');
  const fields = fieldsOf(lines);
  if (more.length > 0 || !isToken(method) || !isTarget(method, target) || fields === undefined) return undefined;
  if (version !== 'HTTP/1.1' && version !== 'HTTP/1.0') return undefined;
  const isNew = version === 'HTTP/1.1';
  const [hosts, lengths, codings] = [
    valuesOf(fields, 'host'),
    valuesOf(fields, 'content-length'),
    valuesOf(fields, 'transfer-encoding'),
  ];
  if (!hosts.every(isHost) || hosts.length > 1 || (isNew && hosts.length === 0)) return undefined;
  if (lengths.length + codings.length > 1 || (codings.length > 0 && !isNew)) return undefined;
  if (codings.some((coding) => coding.toLowerCase() !== 'chunked')) return undefined;
  // Expect is a list, whose empty members do not count (RFC 9110 §5.6.1.2); one without any member says nothing that is known.
  const expectations = valuesOf(fields, 'expect').map((value) =>
    value.toLowerCase().split(',').map(trim).filter(Boolean),
  );
  if (isNew && expectations.some((members) => members.length === 0 || members.some((one) => one !== '100-continue')))
    return undefined;
  const body = bodyOf(start.slice(headEnd + 4), lengths[0], codings.length > 0);
  if (body === undefined) return undefined;
  const options = valuesOf(fields, 'connection').flatMap((value) => value.toLowerCase().split(',').map(trim));
  const keepAlive = !options.includes('close') && (isNew || options.includes('keep-alive'));
  return { request: { method, target, fields, keepAlive, body: body.body, trailers: body.trailers }, rest: body.rest };
}

/** All whole requests up to the first that is not one. */
export function parseByReference(text: string): ReferenceRequest[] {
  const requests: ReferenceRequest[] = [];
  for (let found = first(text); found !== undefined; found = first(found.rest)) requests.push(found.request);
  return requests;
}
