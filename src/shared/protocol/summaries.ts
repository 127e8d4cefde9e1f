/**
 * Requests as logs and reports name them: short, since how long their parts are is the client's to choose, and a report has to get
 * through when it matters most. Pure.
 */
import type { RequestSummary } from './messages.ts';

/** characters of one part; a route is known by fewer (route.ts) */
export const longestPart = 256;

/** Whole, or its beginning with an ellipsis that says that there was more. */
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
