/**
 * The line of a request that was refused before an application saw it. Operators and fail2ban look for these. It has the
 * request line when that was a valid one; bytes that were refused are in no field.
 */
import type { Environ } from '../../shared/application.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { PeerFacts } from '../environ.ts';
import type { RequestLine } from '../http/request-line.ts';
import type { LoggedReport, LoggedRequest } from './record.ts';

/** Refusals of a request line: what the parser holds of it is not whole. */
const lineFaults: ReadonlySet<ErrorCode> = new Set(['BAD_REQUEST_LINE', 'BAD_VERSION']);

/** `response` is the whole answer; `status` is in it. */
export function refusedRequest(
  code: ErrorCode,
  peer: PeerFacts,
  line: RequestLine,
  response: string,
): { request: LoggedRequest; status: number; bodyBytes: number } {
  const isKnown = line.method !== '' && !lineFaults.has(code);
  const { method, target, version } = isKnown ? line : { method: '', target: '', version: '' };
  const [path = '', query = ''] = target.split('?', 2);
  const report: LoggedReport = { bytesSent: response.length, outcome: 'refused' };
  const env = {
    'REMOTE_ADDR': peer.remoteAddress,
    'REMOTE_PORT': peer.remotePort,
    'RAW_PATH_INFO': path,
    'QUERY_STRING': query,
    'wsgi.url_scheme': peer.scheme,
    'evy.response': report,
  } as unknown as Environ;
  return {
    request: { env, method, target, version, responseHeader: () => undefined },
    status: Number(response.slice(9, 12)),
    bodyBytes: response.length - response.indexOf('\r\n\r\n') - 4,
  };
}
