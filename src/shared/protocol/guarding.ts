/** What master and workers tell each other about limits of the whole server; a part of messages.ts (docs/scaling.md). */

/** What of its requests a worker looks at before its application does. */
export interface Guarding {
  /** paths of health checks, as in accessLogSkip */
  healthPaths: string[];
  /** whether those are to be counted */
  countsHealth: boolean;
  /** whether the whole server's connections and requests have limits, of which it gets shares */
  limitsConnections: boolean;
  limitsRequests: boolean;
  /** whether routes may be kept from the application */
  quarantines: boolean;
}

export interface QuarantinedRoute {
  /** as routeOf() makes them */
  route: string;
  forMs: number;
}

/** How much of a share a worker uses. */
export interface Usage {
  now: number;
  /** the most lately */
  wanted: number;
  /** it would have used more */
  isShort: boolean;
}

/** How many connections a worker may have, and how many requests under way. */
export interface Shares {
  /** rises with each */
  serial: number;
  connections?: number | undefined;
  requests?: number | undefined;
}

export type GuardingToWorker =
  | ({ type: 'shares' } & Shares)
  /** all that there are now */
  | { type: 'quarantine'; routes: QuarantinedRoute[] };
export type GuardingToMaster =
  /** confirms the shares with this serial, and all before; the first one asks for them */
  { type: 'usage'; serial: number; connections?: Usage | undefined; requests?: Usage | undefined };
