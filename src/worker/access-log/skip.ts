/** Compiles the paths that leave no access line (option accessLogSkip): exact ones, and prefixes that end with a star. */

export type SkipsPath = (path: string) => boolean;

/** Undefined when there is nothing to skip. */
export function compileSkip(patterns: readonly string[]): SkipsPath | undefined {
  if (patterns.length === 0) return undefined;
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')));
  const beginnings = patterns.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1));
  return (path) => exact.has(path) || beginnings.some((beginning) => path.startsWith(beginning));
}

/** Only successful requests are left out: a failed health check is worth a line. */
export function wentWell(status: number): boolean {
  return status > 0 && status < 400;
}
