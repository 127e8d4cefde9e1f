/**
 * Connections without a request: which of them are closed when the server stops, and which one is closed for a new one
 * at the limit of connections. All interfaces provide the same facts about such a connection.
 */

export interface IdleConnection {
  /** identifies the connection; always the same object for the same connection */
  readonly key: object;
  /** whether it has had a request */
  readonly hasAsked: boolean;
  /** how long it has been idle, approximately */
  readonly idleMs: number;
  readonly bytesRead: number;
  /** Whether it has been idle since it was listed. */
  readonly isStillIdle: boolean;
  /**
   * Closes in order: sends FIN, then reads and discards what the client still sends. The client got no announcement.
   */
  closeUnannounced(): void;
  /** The same, but immediately, so that its descriptor is free. */
  giveWay(): void;
}

export interface LingerTimes {
  /** for a client whose next request may be on its way */
  readonly idleMs: number;
  /** for a client that has connected and sent no request yet */
  readonly firstRequestMs: number;
}

/** At most half of the grace time, so that clients still have time to notice the close. */
export function lingerTimes(graceMs: number): LingerTimes {
  const longestMs = graceMs / 2;
  return { idleMs: Math.min(500, longestMs), firstRequestMs: Math.min(1000, longestMs) };
}

/** Watches idle connections, and returns those that have been idle for long enough to be closed. */
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

  /** The time of a connection counts from the first check that finds it idle. */
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

/**
 * A client that has just connected is about to send a request: a flood of new ones must not close itself before it is
 * served.
 */
const spareFreshMs = 1000;

/** A connection that may give way, as a search found it. */
export interface Candidate {
  readonly connection: IdleConnection;
  readonly idleMs: number;
  readonly bytesRead: number;
}

/**
 * Returns the longest idle connections of those that have had a request; if there are none, the oldest of those that
 * have sent nothing for a while. They are at most `most`, the longest idle one first.
 */
export function firstToGiveWay(idle: Iterable<IdleConnection>, most: number): Candidate[] {
  const asked: Candidate[] = [];
  const fresh: Candidate[] = [];
  for (const connection of idle) {
    const { idleMs, hasAsked } = connection;
    if (hasAsked) keepLongest(asked, connection, idleMs, most);
    else if (idleMs > spareFreshMs) keepLongest(fresh, connection, idleMs, most);
  }
  return asked.length > 0 ? asked : fresh;
}

/** Inserts the connection into a list that is sorted and never longer than `most`. */
function keepLongest(longest: Candidate[], connection: IdleConnection, idleMs: number, most: number): void {
  if (longest.length === most && idleMs <= longest.at(-1)!.idleMs) return;
  const after = longest.findLastIndex((other) => other.idleMs >= idleMs);
  longest.splice(after + 1, 0, { connection, idleMs, bytesRead: connection.bytesRead });
  if (longest.length > most) longest.pop();
}
