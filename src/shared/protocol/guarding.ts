/** The messages about limits of the whole server; a part of messages.ts (docs/scaling.md). */

/** What the request guard of a worker checks before a request reaches the application. */
export interface Guarding {
  /** paths of health checks, in the notation of accessLogSkip */
  healthPaths: string[];
  /** whether health checks are counted */
  countsHealth: boolean;
  /** whether connections or requests of the whole server are limited, so that workers get shares */
  limitsConnections: boolean;
  limitsRequests: boolean;
  /** whether routes can be quarantined */
  quarantines: boolean;
}

export interface QuarantinedRoute {
  /** the route as routeOf() names it */
  route: string;
  forMs: number;
}

/** How much of its share a worker uses. */
export interface Usage {
  now: number;
  /** the highest number since the last report */
  wanted: number;
  /** it needed more than its share */
  isShort: boolean;
}

/** How many connections a worker may have, and how many active requests. */
export interface Shares {
  /** rises with each message */
  serial: number;
  connections?: number | undefined;
  requests?: number | undefined;
}

export type GuardingToWorker =
  | ({ type: 'shares' } & Shares)
  /** all routes in quarantine now */
  | { type: 'quarantine'; routes: QuarantinedRoute[] };
export type GuardingToMaster =
  /** confirms the shares up to this serial; the first one asks for shares */
  { type: 'usage'; serial: number; connections?: Usage | undefined; requests?: Usage | undefined };
