/**
 * Which routes are kept from the application since workers crashed with them under way. Pure.
 *
 * The route that was under way in `crashes` crashes within `windowMs` is quarantined for `forMs`; after that it starts with a
 * clean slate. What was under way beside the guilty one is counted alike: with only a crash to go by, nobody can tell
 * them apart but by the next one.
 */
export interface QuarantineRules {
  /** 0 is off */
  readonly crashes: number;
  readonly windowMs: number;
  readonly forMs: number;
}

export interface Quarantine {
  /** when workers crashed with a route under way, oldest first */
  readonly crashes: ReadonlyMap<string, readonly number[]>;
  /** until when a route is kept away */
  readonly until: ReadonlyMap<string, number>;
}

export const noQuarantine: Quarantine = { crashes: new Map(), until: new Map() };

/** A worker crashed with these routes under way. */
export function noteCrash(
  { crashes, until }: Quarantine,
  routes: ReadonlySet<string>,
  nowMs: number,
  { crashes: most, windowMs, forMs }: QuarantineRules,
): Quarantine {
  const counted = new Map<string, readonly number[]>();
  for (const [route, times] of crashes) {
    const recent = times.filter((time) => nowMs - time < windowMs);
    if (recent.length > 0) counted.set(route, recent);
  }
  const kept = new Map(until);
  for (const route of routes) {
    const times = [...(counted.get(route) ?? []), nowMs];
    if (times.length < most) counted.set(route, times);
    else {
      counted.delete(route);
      kept.set(route, nowMs + forMs);
    }
  }
  return { crashes: counted, until: kept };
}

/** Without those whose time is over. */
export function release(quarantine: Quarantine, nowMs: number): Quarantine {
  return { ...quarantine, until: new Map([...quarantine.until].filter(([, untilMs]) => untilMs > nowMs)) };
}
