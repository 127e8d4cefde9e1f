/** How many workers there may be: a number, or a range such as '2..8' within which the load decides. Pure. */
export interface WorkerRange {
  readonly least: number;
  readonly most: number;
}

export const mostWorkers = 1024;

export const workersNotation = `a whole number from 1 to ${mostWorkers} or a range like 2..8`;

const notation = /^(\d{1,4})(?:\.\.(\d{1,4}))?$/;

/** Returns undefined unless it is a number or a range from 1 to 1024. */
export function parseWorkerRange(text: string): WorkerRange | undefined {
  const match = notation.exec(text);
  if (match === null) return undefined;
  const least = Number(match[1]);
  const most = Number(match[2] ?? match[1]);
  return least >= 1 && most >= least && most <= mostWorkers ? { least, most } : undefined;
}

export function formatWorkerRange({ least, most }: WorkerRange): string {
  return least === most ? String(least) : `${least}..${most}`;
}

/** Returns the nearest number within the range. */
export function clampToRange(workers: number, { least, most }: WorkerRange): number {
  return Math.min(most, Math.max(least, workers));
}

export function isWorkerRange(value: object): value is WorkerRange {
  return 'least' in value && 'most' in value;
}
