/**
 * The line of a request that was refused before an application saw it. Operators and fail2ban look for these. It has the
 * request line when that was a valid one; bytes that were refused are in no field.
 */
import type { Environ } from '../../shared/application.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { RefusedSender } from '../request/refusal.ts';
import type { RequestLine } from '../http/request-line.ts';
import type { LoggedReport, LoggedRequest } from './record.ts';

/** Refusals of a request line: what the parser holds of it is not whole. */
const lineFaults: ReadonlySet<ErrorCode> = new Set(['BAD_REQUEST_LINE', 'BAD_TARGET', 'BAD_VERSION']);

/** `response` is the whole answer; `status` is in it. */
export function refusedRequest(
  code: ErrorCode,
  { peer, variables, names }: RefusedSender,
  line: RequestLine,
  response: string,
): { request: LoggedRequest; report: LoggedReport; bodyBytes: number } {
  const isKnown = line.method !== '' && !lineFaults.has(code);
  const { method, target, version } = isKnown ? line : { method: '', target: '', version: '' };
  const [path = '', query = ''] = target.split('?', 2);
  const env = {
    ...variables,
    'REMOTE_ADDR': peer.remoteAddress,
    'REMOTE_PORT': peer.remotePort,
    'RAW_PATH_INFO': path,
    'QUERY_STRING': query,
    'wsgi.url_scheme': peer.scheme,
    'evy.request_id': names?.requestId,
    'evy.traceparent': names?.traceparent,
  } as unknown as Environ;
  return {
    request: { env, method, target, version, responseHeader: () => undefined },
    report: { status: Number(response.slice(9, 12)), bytesSent: response.length, outcome: 'refused', durationMs: 0 },
    bodyBytes: response.length - response.indexOf('\r\n\r\n') - 4,
  };
}
