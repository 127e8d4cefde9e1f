/** The application as a guard lets requests through to it; those that it turns away get their 503 here. */
import { STATUS_CODES } from 'node:http';
import { errorTable } from '../../shared/errors.ts';
import type { NodeListener } from '../process/application-kind.ts';
import type { Refusal, RequestGuard } from './request-guard.ts';
import type { Handler } from '../loop/exchange.ts';

/** Requests under way, the one that is asked about included. */
type CountUnderWay = () => number;

function answerOf({ code, retryAfterSeconds }: Refusal) {
  const status = errorTable[code].status ?? 503;
  const reason = STATUS_CODES[status] ?? 'Error';
  const text = `${status} ${reason}\n`;
  const headers: Array<[string, string]> = [
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(text.length)],
    ['Retry-After', String(retryAfterSeconds)],
  ];
  return { status, reason, headers, text };
}

/** For our own loop. */
export function guardHandler(handler: Handler, guard: RequestGuard, underWay: CountUnderWay): Handler {
  return (exchange) => {
    const refusal = guard.refusalOf(exchange.method, exchange.target, underWay());
    if (refusal === undefined) {
      handler(exchange);
      return;
    }
    const { status, reason, headers, text } = answerOf(refusal);
    exchange.start(`${status} ${reason}`, headers);
    exchange.respond([text]);
  };
}

/** For node:http. */
export function guardListener(listener: NodeListener, guard: RequestGuard, underWay: CountUnderWay): NodeListener {
  return (request, response) => {
    const refusal = guard.refusalOf(request.method ?? '', request.url ?? '', underWay());
    if (refusal === undefined) return listener(request, response);
    const { status, reason, headers, text } = answerOf(refusal);
    for (const [name, value] of headers) response.setHeader(name, value);
    response.statusCode = status;
    response.statusMessage = reason;
    response.end(text);
    return undefined;
  };
}
