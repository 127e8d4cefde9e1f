/** Classifies an application's error: who caused it, and which response the client gets if nothing was sent yet. */
import { nodeHttp } from '../../shared/lazy-node.ts';
import { EvyError, toError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';

export interface Failure {
  error: Error;
  code: ErrorCode;
  /** status of the response, if one can still be sent */
  status: number;
  /** The client caused it, for example by an incomplete body, and the application only passed the error on. */
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
  const reason = nodeHttp().STATUS_CODES[code] ?? 'Error';
  const status = `${code} ${reason}`;
  if (isClients) return { status, text: `${status}\n` };
  const detail = debug ? `\n\n${typeof error.stack === 'string' ? error.stack : error.message}` : '';
  return { status, text: `${reason}${detail}\n` };
}
