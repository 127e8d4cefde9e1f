/**
 * "did you mean": finds the known word nearest to an unknown one, or none when all are too different.
 *
 * Words are compared without case and separators, so that `max-head`, `MAX_HEAD` and `maxHead` are equal. The distance
 * counts inserted, dropped, changed and swapped letters (optimal string alignment).
 */

function plain(word: string): string {
  return word.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** The number of edits that turn `from` into `to`; swapped neighbours count as one. */
export function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      let least = Math.min(previous[column]! + 1, current[column - 1]! + 1, previous[column - 1]! + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) least = Math.min(least, beforePrevious[column - 2]! + 1);
      current.push(least);
    }
    beforePrevious = previous;
    previous = current;
  }
  return previous[to.length]!;
}

/** Returns the nearest of `known`: at most a third of the letters differ, or `word` is the prefix of exactly one. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  const wanted = plain(word);
  const candidates = [...known];
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, plain(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  if (best !== undefined || wanted.length < 3) return best;
  const longer = candidates.filter((candidate) => plain(candidate).startsWith(wanted));
  return longer.length === 1 ? longer[0] : undefined;
}

/** Returns '; did you mean X?' or an empty string, to be appended to a message. */
export function didYouMean(word: string, known: Iterable<string>): string {
  const found = suggest(word, known);
  return found === undefined ? '' : `; did you mean ${found}?`;
}
