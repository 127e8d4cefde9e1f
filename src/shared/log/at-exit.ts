/**
 * What is still to be written when the process ends. One listener of 'exit' for all: who has nothing to write is not
 * on the list, so nobody has to be closed.
 */
const unfinished = new Set<() => void>();
let isWatching = false;

function finish(): void {
  for (const work of unfinished) work();
}

/** Called when the process ends, unless `finished` came first. It must be synchronous and soon over. */
export function atExit(work: () => void): void {
  if (!isWatching) process.on('exit', finish);
  isWatching = true;
  unfinished.add(work);
}

export function finished(work: () => void): void {
  unfinished.delete(work);
}
