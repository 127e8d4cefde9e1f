/** What is told of requests that are under way on our own loop: in short, and as if they were over now. */
import { performance } from 'node:perf_hooks';
import type { RequestSummary, RequestUnderWay } from '../../shared/protocol/messages.ts';
import { briefSummary } from '../../shared/protocol/summaries.ts';
import type { AccessLog } from '../access-log/access-log.ts';
import { Preview } from '../access-log/preview.ts';
import type { Exchange } from './exchange.ts';

function summaryOf({ method, target, peer, names, startedMs }: Exchange, nowMs: number): RequestSummary {
  return briefSummary({ method, target, peer: peer.remoteAddress, ageMs: nowMs - startedMs, ...names });
}

/** Oldest first. */
export function summariesOf(exchanges: Iterable<Exchange>): RequestSummary[] {
  const nowMs = performance.now();
  const found = Array.from(exchanges, (exchange) => summaryOf(exchange, nowMs));
  return found.toSorted((a, b) => b.ageMs - a.ageMs);
}

/** Those that are older than that, oldest first, each with the access line that it would have if it were cut now. */
export function survey(
  exchanges: Iterable<Exchange>,
  accessLog: AccessLog | undefined,
  olderThanMs: number,
  most: number,
): RequestUnderWay[] {
  const nowMs = performance.now();
  const preview = new Preview(accessLog);
  const old = [...exchanges].filter(({ startedMs }) => nowMs - startedMs > olderThanMs);
  const oldest = old.toSorted((a, b) => a.startedMs - b.startedMs).slice(0, most);
  return oldest.map((exchange) => {
    const line = preview.lineOf(() => exchange.account('cut', preview));
    return { ...summaryOf(exchange, nowMs), line };
  });
}
