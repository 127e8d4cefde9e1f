/**
 * Load that notices everything a user would: many connections, each sending one request after the other, counting every
 * refused, reset, cut or unanswered request, every wrong answer and every way in which a connection ended.
 *
 * Keep-alive connections stay until the server ends them and then come back; reconnecting ones ask for `close` with
 * each request. `startLoad` (load-process.ts) runs the same in a process of its own, so that the measured server and
 * the test do not share a core's time with it.
 */
import { LoadConnection } from './load-connection.ts';
import { LoadCounts, type LoadOptions, type LoadResult } from './load-counts.ts';

export type { LoadOptions, LoadResult } from './load-counts.ts';

export interface RunningLoad {
  /** The numbers so far. */
  snapshot(): Promise<LoadResult>;
  /** Lets each connection finish its request and tells the result. */
  stop(): Promise<LoadResult>;
}

/** Starts the load in this process. */
export function startLoadHere(options: LoadOptions): RunningLoad {
  const counts = new LoadCounts();
  const connections = [
    ...Array.from({ length: options.keepAlive ?? 50 }, () => new LoadConnection(options, counts, true)),
    ...Array.from({ length: options.reconnecting ?? 4 }, () => new LoadConnection(options, counts, false)),
  ];
  return {
    snapshot: () => Promise.resolve(counts.result()),
    async stop() {
      await Promise.all(connections.map((connection) => connection.stop()));
      return counts.result();
    },
  };
}
