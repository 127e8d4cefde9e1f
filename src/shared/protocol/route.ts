/** Groups similar requests: the path of a target, and the route that it presumably belongs to. Pure. */

const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*/;
/** a number, a UUID, or at least 12 hexadecimal digits */
const identifier = /^(?:\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,})$/i;
/** characters of a path; fewer than a report keeps of a target (summaries.ts), so both yield the same route */
const longestPath = 200;

/** The path of any form of target (RFC 9112 §3.2), without the query. */
export function pathOf(target: string): string {
  const local = target.startsWith('/') ? target : target.replace(absolute, '');
  const query = local.indexOf('?');
  return (query === -1 ? local : local.slice(0, query)) || '/';
}

/** Returns 'GET /users/:id/posts' for 'GET' and '/users/42/posts?page=2'. */
export function routeOf(method: string, target: string): string {
  const segments = pathOf(target).slice(0, longestPath).split('/');
  const path = segments.map((segment) => (identifier.test(segment) ? ':id' : segment)).join('/');
  return `${method} ${path}`;
}
