/**
 * How many connections a process takes: what the option says, and never more than it has descriptors for, with some left to the
 * application. One that takes more than these is what descriptor-watch.ts is for.
 */
import { readFileSync } from 'node:fs';
import type { Logger } from '../../shared/log/log.ts';

/** descriptors that the process and the application need beside: logs, sockets, database connections; a quarter where there are few of all */
const leastSpare = 64;
const leastSpareShare = 0.25;
const spareShare = 0.1;

/** The soft limit of open files, which Node has raised to the hard one. Undefined where the system does not tell. */
export function openFilesLimit(): number | undefined {
  try {
    const match = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1'));
    return match ? Number(match[1]) : undefined;
  } catch {
    return undefined;
  }
}

export function connectionsWithin(wanted: number, openFiles: number | undefined): number {
  if (openFiles === undefined) return wanted;
  const least = Math.min(leastSpare, openFiles * leastSpareShare);
  const spare = Math.ceil(Math.max(least, openFiles * spareShare));
  return Math.min(wanted, Math.max(1, openFiles - spare));
}

export function connectionLimit(wanted: number, openFiles: number | undefined, log: Logger): number {
  const limit = connectionsWithin(wanted, openFiles);
  if (limit < wanted) log.warn('connections.limited', { wanted, limit, openFiles });
  return limit;
}
