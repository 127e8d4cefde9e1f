/** What requests are alike: the path of a target, and the route that it belongs to as far as one can tell from outside. Pure. */

const absolute = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?]*/;
/** a number, a UUID, or so many hexadecimal digits that they name one thing */
const identifier = /^(?:\d+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{12,})$/i;
/** of a path: less than what a report keeps of a target (request-summary.ts), so a route is the same by either */
const longestPath = 200;

/** Of any form of target (RFC 9112 §3.2), without the query. */
export function pathOf(target: string): string {
  const local = target.startsWith('/') ? target : target.replace(absolute, '');
  const query = local.indexOf('?');
  return (query === -1 ? local : local.slice(0, query)) || '/';
}

/** 'GET /users/:id/posts' for 'GET' and '/users/42/posts?page=2'. */
export function routeOf(method: string, target: string): string {
  const segments = pathOf(target).slice(0, longestPath).split('/');
  const path = segments.map((segment) => (identifier.test(segment) ? ':id' : segment)).join('/');
  return `${method} ${path}`;
}
