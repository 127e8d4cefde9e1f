/** The short plain answer to a request that is refused: the status, never a byte of what was sent. */
import { STATUS_CODES } from 'node:http';
import { errorTable } from '../shared/errors.ts';
import type { ErrorCode } from '../shared/errors.ts';
import { plainResponse } from './http/response-head.ts';

export function refusalText(code: ErrorCode, method: string, http10Only: boolean): string {
  const status = errorTable[code].status ?? 400;
  const reason = STATUS_CODES[status] ?? 'Bad Request';
  return plainResponse(`${status} ${reason}`, `${status} ${reason}\n`, { method, http10Only });
}
