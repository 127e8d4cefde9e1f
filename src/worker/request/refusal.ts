/** The short plain response to a refused request: only the status, and no byte of the client's input. */
import { nodeHttp } from '../../shared/lazy-node.ts';
import { errorTable } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { PeerFacts } from '../transport/peer.ts';
import type { Sender } from './admission.ts';
import type { RequestParser } from '../http/request-parser.ts';
import { plainResponse } from '../http/response-head.ts';
import type { RequestNames, RequestNaming } from './request-id.ts';

export function refusalText(code: ErrorCode, method: string, http10Only: boolean): string {
  const status = errorTable[code].status ?? 400;
  const reason = nodeHttp().STATUS_CODES[status] ?? 'Bad Request';
  return plainResponse(`${status} ${reason}`, `${status} ${reason}\n`, { method, http10Only });
}

/** The sender of a refused request, and what is known of the request. */
export interface RefusedSender {
  readonly peer: PeerFacts;
  /** variables of the environment, if the head was read */
  readonly variables: Readonly<Record<string, string>>;
  readonly names?: RequestNames;
}

/** Refusals of a head that was read and is well-formed. */
const afterHead: ReadonlySet<ErrorCode> = new Set(['BODY_TOO_LARGE', 'LENGTH_REQUIRED', 'WRONG_HOST', 'WRONG_SCHEME']);

/** The sender of a refused request, as a trusted proxy reports it if the head was read. */
export function refusedSender(
  code: ErrorCode,
  { peer, forwarding }: Sender,
  { line, block }: Pick<RequestParser, 'line' | 'block'>,
  naming: RequestNaming,
): RefusedSender {
  if (!afterHead.has(code)) return { peer, variables: {} };
  const { variables } = block;
  if (forwarding === undefined) return { peer, variables };
  const told = forwarding.factsOf(variables, line.authority ?? variables['HTTP_HOST']);
  return { peer: told, variables, names: naming.received(variables) };
}
