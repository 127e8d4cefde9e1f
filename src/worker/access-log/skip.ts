/** Paths that leave no line (option accessLogSkip): exact ones in a set, those with a star at the end as beginnings. */

export type SkipsPath = (path: string) => boolean;

/** Undefined when there is nothing to skip. */
export function compileSkip(patterns: readonly string[]): SkipsPath | undefined {
  if (patterns.length === 0) return undefined;
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return (path) => exact.has(path) || beginnings.some((beginning) => path.startsWith(beginning));
}

/** A health check that fails is what one looks for in a log: only what went well is left out. */
export function wentWell(status: number): boolean {
  return status > 0 && status < 400;
}
