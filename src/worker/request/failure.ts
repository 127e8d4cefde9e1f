/** Says of an error that an application threw whose fault it is, and what the client is sent if nothing was sent yet. */
import { STATUS_CODES } from 'node:http';
import { EvyError, toError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';

export interface Failure {
  error: Error;
  code: ErrorCode;
  /** status of the response, if one can still be sent */
  status: number;
  /** The client caused it, for example by a body that was cut short, and the application only passed it on. */
  isClients: boolean;
}

export function describeFailure(thrown: unknown): Failure {
  const error = toError(thrown);
  if (!(error instanceof EvyError)) return { error, code: 'APP_FAILED', status: 500, isClients: false };
  const isClients = error.status !== undefined && error.status < 500;
  return { error, code: error.code, status: error.status ?? 500, isClients };
}

export function failureResponse(
  { status: code, error, isClients }: Failure,
  debug: boolean,
): { status: string; text: string } {
  const reason = STATUS_CODES[code] ?? 'Error';
  const status = `${code} ${reason}`;
  if (isClients) return { status, text: `${status}\n` };
  const detail = debug ? `\n\n${typeof error.stack === 'string' ? error.stack : error.message}` : '';
  return { status, text: `${reason}${detail}\n` };
}
