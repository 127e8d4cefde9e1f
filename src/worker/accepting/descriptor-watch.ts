/**
 * Limits connections by the process's descriptors. At the start: the option's number, but never more than the limit of
 * open files allows, with some spare for the application. Later: no more than there are free descriptors, whatever the
 * application uses, which is checked after every few connections and, while the worker is awake, ten times a second. A
 * process without a free descriptor cannot leave a client waiting: libuv accepts all waiting clients and closes them
 * immediately, without an event.
 */
import { closeSync, openSync, readFileSync } from 'node:fs';
import type { Logger } from '../../shared/log/log.ts';
import { statusOf } from '../../shared/file-status.ts';
import type { Gatekeeper } from './gatekeeper.ts';

/**
 * descriptors reserved for the process and the application: logs, sockets, database connections; a quarter of all where
 * there are few
 */
const leastSpare = 64;
const leastSpareShare = 0.25;
const spareShare = 0.1;

/**
 * The soft limit of open files, which Node has raised to the hard one. Undefined where the system does not report it.
 */
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

/** The interval of the check, which costs three short system calls. */
const everyMs = 100;
/**
 * descriptors that connections never use: for files that the process opens briefly, and for those that it has opened
 * since the last check
 */
const mostKept = 16;
const keptShare = 0.05;
/** A shortage that comes and goes is logged at most this often. */
const reportEveryMs = 60_000;

/** The number of the next descriptor; Infinity when none is free. */
export function lowestFreeDescriptor(): number {
  try {
    const lowestFree = openSync('/dev/null', 'r');
    closeSync(lowestFree);
    return lowestFree;
  } catch {
    return Infinity;
  }
}

/**
 * The number of open descriptors; Infinity when none is free. Before Linux 6.2 only those below the first free one are
 * counted.
 */
export function openDescriptors(): number {
  try {
    return Math.max(lowestFreeDescriptor(), Number(statusOf('/proc/self/fd')?.size ?? 0));
  } catch {
    return Infinity;
  }
}

/** How many more connections may be accepted; below 0 when there are too many already. */
export function roomFor(openFiles: number, inUse: number): number {
  return Math.max(0, openFiles - inUse) - keptOf(openFiles);
}

function keptOf(openFiles: number): number {
  return Math.min(mostKept, Math.ceil(openFiles * keptShare));
}

export interface DescriptorWatchParts {
  readonly gate: Pick<Gatekeeper, 'ask' | 'look'>;
  readonly log: Logger;
  /** the limit of open files of this process */
  readonly openFiles: number;
  readonly inUse?: () => number;
  readonly nowMs?: () => number;
}

export class DescriptorWatch {
  readonly #parts: Required<DescriptorWatchParts>;
  #timer: NodeJS.Timeout | undefined;
  #nextReportMs = 0;
  #isReported = false;

  constructor(parts: DescriptorWatchParts) {
    this.#parts = { inUse: openDescriptors, nowMs: () => performance.now(), ...parts };
    const { gate } = parts;
    gate.ask(() => this.#room(), keptOf(parts.openFiles));
  }

  start(): void {
    const { gate } = this.#parts;
    gate.look();
    this.#timer = setInterval(() => gate.look(), everyMs).unref();
  }

  /** Undefined where the system reports no limit. */
  static of(openFiles: number | undefined, gate: Gatekeeper, log: Logger): DescriptorWatch | undefined {
    return openFiles === undefined ? undefined : new DescriptorWatch({ gate, log, openFiles });
  }

  #room(): number {
    const { log, openFiles, inUse, nowMs } = this.#parts;
    const open = inUse();
    const room = roomFor(openFiles, open);
    if (room <= 0 && !this.#isReported && nowMs() >= this.#nextReportMs) {
      this.#isReported = true;
      this.#nextReportMs = nowMs() + reportEveryMs;
      log.warn('connections.limited', { openFiles, free: Math.max(0, openFiles - open) });
    }
    if (room > mostKept && this.#isReported) {
      this.#isReported = false;
      log.info('connections.resumed', { openFiles, free: openFiles - open });
    }
    return room;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
