/**
 * Interprets the header fields of a request about its body, its host and the persistence of the connection (RFC 9112
 * §3.2, §6.3, §9.3; RFC 9110 §10.1.1). Anything ambiguous is refused.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import type { Field, HeaderName } from './field-lines.ts';
import { hostAndPort } from './grammar.ts';
import { listMembers } from './field-lines.ts';
import type { Version } from './request-line.ts';

export interface Framing {
  body: 'none' | 'length' | 'chunked';
  /** bytes of a 'length' body */
  length: number;
  /** whether the client allows the connection to persist after the response */
  keepAlive: boolean;
  /** whether the client waits for `100 Continue` before it sends the body */
  expectsContinue: boolean;
}

const digits = /^[0-9]{1,16}$/;

function contentLength(value: string): number | undefined {
  if (!digits.test(value)) return undefined;
  const length = Number(value);
  return Number.isSafeInteger(length) ? length : undefined;
}

function transferCodingFault(value: string): ErrorCode {
  const codings = listMembers(value.toLowerCase());
  // A known coding in a wrong place is an error of the client; an unknown one is not implemented.
  return codings.some((coding) => coding !== 'chunked') ? 'UNKNOWN_TRANSFER_CODING' : 'BAD_TRANSFER_ENCODING';
}

/** A repeated expectation is still the same. */
function isContinue(value: string): boolean {
  const members = listMembers(value.toLowerCase());
  return members.length > 0 && members.every((member) => member === '100-continue');
}

/** Returns an error code when the fields contradict each other or the RFC. */
export function readFraming(
  version: Version,
  fields: readonly Field[],
  names: readonly HeaderName[],
): Framing | ErrorCode {
  const isHttp11 = version === 'HTTP/1.1';
  let hosts = 0;
  let length: number | undefined;
  let chunked = false;
  let close = false;
  let keepAlive = false;
  let expectsContinue = false;
  for (let index = 0; index < names.length; index += 1) {
    const special = names[index]!.special;
    if (special === 'other' || special === 'cookie') continue;
    const value = fields[index]![1];
    if (special === 'host') {
      hosts += 1;
      if (hosts > 1 || !hostAndPort.test(value)) return 'BAD_HOST';
    } else if (special === 'connection') {
      if (value === 'keep-alive') keepAlive = true;
      else if (value === 'close') close = true;
      else {
        const options = listMembers(value.toLowerCase());
        keepAlive ||= options.includes('keep-alive');
        close ||= options.includes('close');
      }
    } else if (special === 'content-length') {
      if (length !== undefined) return 'BAD_CONTENT_LENGTH';
      length = contentLength(value);
      if (length === undefined) return 'BAD_CONTENT_LENGTH';
    } else if (special === 'transfer-encoding') {
      if (chunked || !isHttp11) return 'BAD_TRANSFER_ENCODING';
      if (value.toLowerCase() !== 'chunked') return transferCodingFault(value);
      chunked = true;
    } else if (isHttp11) {
      // A client with HTTP/1.0 cannot mean Expect (RFC 9110 §10.1.1).
      if (value.toLowerCase() !== '100-continue' && !isContinue(value)) return 'UNKNOWN_EXPECTATION';
      expectsContinue = true;
    }
  }
  if (isHttp11 && hosts === 0) return 'BAD_HOST';
  if (chunked && length !== undefined) return 'BAD_TRANSFER_ENCODING';
  const body = chunked ? 'chunked' : length === undefined || length === 0 ? 'none' : 'length';
  return {
    body,
    length: length ?? 0,
    keepAlive: !close && (isHttp11 || keepAlive),
    expectsContinue: expectsContinue && body !== 'none',
  };
}
