/**
 * Connections without a request: which of them are closed when the server stops, and which gives way when there are as many connections as
 * there may be. Both know only what each interface tells of such a connection.
 */

export interface IdleConnection {
  /** the same for the same connection, whenever it is asked */
  readonly key: object;
  /** whether it has had a request */
  readonly hasAsked: boolean;
  /** about how long it has been idle */
  readonly idleMs: number;
  readonly bytesRead: number;
  /** It is as it was when it was found. */
  readonly isStillIdle: boolean;
  /** Closes in order: FIN, then what the client still sends is read and thrown away. Its client was not told before. */
  closeUnannounced(): void;
  /** The same, and at once, so that its descriptor is free. */
  giveWay(): void;
}

export interface LingerTimes {
  /** for a client that may have its next request on the way */
  readonly idleMs: number;
  /** for one that has connected and not asked yet */
  readonly firstRequestMs: number;
}

/** Half of the grace time at most: whoever is closed then still has time to see it. */
export function lingerTimes(graceMs: number): LingerTimes {
  const longestMs = graceMs / 2;
  return { idleMs: Math.min(500, longestMs), firstRequestMs: Math.min(1000, longestMs) };
}

/** Looks at idle connections again and again, and says which of them have been so for long enough to be closed. */
interface Look {
  readonly sinceMs: number;
  readonly bytesRead: number;
}

export class IdleLinger {
  readonly #times: LingerTimes;
  #seen = new Map<object, Look>();

  constructor(times: LingerTimes) {
    this.#times = times;
  }

  /** The time of a connection counts from the first look that finds it idle. */
  overdue(idle: Iterable<IdleConnection>, nowMs: number): IdleConnection[] {
    const { idleMs, firstRequestMs } = this.#times;
    const seen = new Map<object, Look>();
    const overdue: IdleConnection[] = [];
    for (const one of idle) {
      const before = this.#seen.get(one.key);
      const look = before?.bytesRead === one.bytesRead ? before : { sinceMs: nowMs, bytesRead: one.bytesRead };
      if (nowMs - look.sinceMs >= (one.hasAsked ? idleMs : firstRequestMs)) overdue.push(one);
      else seen.set(one.key, look);
    }
    this.#seen = seen;
    return overdue;
  }
}

/** A client that has just connected is about to ask: a flood of new ones must not close itself before it is served. */
export const spareFreshMs = 1000;

/** The longest idle one of those that have asked, else the oldest of those that have connected and asked nothing for a while. */
export function firstToGiveWay(idle: Iterable<IdleConnection>): IdleConnection | undefined {
  let asked: IdleConnection | undefined;
  let fresh: IdleConnection | undefined;
  let askedMs = -1;
  let freshMs = spareFreshMs;
  for (const one of idle) {
    const { idleMs } = one;
    if (one.hasAsked) {
      if (idleMs <= askedMs) continue;
      asked = one;
      askedMs = idleMs;
    } else if (idleMs > freshMs) {
      fresh = one;
      freshMs = idleMs;
    }
  }
  return asked ?? fresh;
}
