/**
 * Runs pending work when the process exits. All loggers share one 'exit' listener, and a logger registers only while it
 * has something to write, so loggers need no close().
 */
const unfinished = new Set<() => void>();
let isWatching = false;

function finish(): void {
  for (const work of unfinished) work();
}

/** Registers work to run at exit, until `finished` is called with it. It must be synchronous and short. */
export function atExit(work: () => void): void {
  if (!isWatching) process.on('exit', finish);
  isWatching = true;
  unfinished.add(work);
}

export function finished(work: () => void): void {
  unfinished.delete(work);
}
