/**
 * Shortens requests for logs and reports: clients choose the length of the parts, and a report must be deliverable when
 * it matters most. Pure.
 */
import type { RequestSummary } from './messages.ts';

/** characters of one part; a route uses fewer (route.ts) */
export const longestPart = 256;

/** Returns the text, or its beginning with an ellipsis when it is longer than `most`. */
export function brief(text: string, most = longestPart): string {
  return text.length <= most ? text : `${text.slice(0, most)}…`;
}

const briefName = (name: string | undefined): string | undefined => (name === undefined ? undefined : brief(name));

export function briefSummary({ method, target, peer, ageMs, ...names }: RequestSummary): RequestSummary {
  return {
    method: brief(method),
    target: brief(target),
    peer: brief(peer),
    ageMs: Math.round(ageMs),
    requestId: briefName(names.requestId),
    traceparent: briefName(names.traceparent),
  };
}
