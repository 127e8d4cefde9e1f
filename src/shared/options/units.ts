/** Parses and formats durations and sizes as users write them ('30s', '64KiB'). */

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const byteUnits: Readonly<Record<string, number>> = {
  b: 1,
  k: 1024,
  kb: 1000,
  kib: 1024,
  m: 1024 ** 2,
  mb: 1000 ** 2,
  mib: 1024 ** 2,
  g: 1024 ** 3,
  gb: 1000 ** 3,
  gib: 1024 ** 3,
};

/** 2^53 milliseconds and bytes, in whole units: larger numbers are not exact. */
export const longestDuration = '104249991d';
export const largestSize = '8388607GiB';

function parse(text: string, units: Readonly<Record<string, number>>, plain: number): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  if (!match) return undefined;
  const unit = match[2] === '' ? plain : units[match[2]!.toLowerCase()];
  if (unit === undefined) return undefined;
  const value = Math.round(Number(match[1]) * unit);
  return value <= Number.MAX_SAFE_INTEGER ? value : Infinity;
}

/**
 * Milliseconds of '250ms', '30s', '5m', '1h', '2d'; a number without a unit is seconds. Undefined when malformed,
 * Infinity when too large.
 */
export function parseDuration(text: string): number | undefined {
  return parse(text, durationUnits, 1000);
}

/** Bytes of '512', '64KiB', '10MB', '1g'. Undefined when malformed, Infinity when too large. */
export function parseBytes(text: string): number | undefined {
  return parse(text, byteUnits, 1);
}

function format(value: number, units: ReadonlyArray<readonly [string, number]>): string {
  for (const [name, size] of units) if (value !== 0 && value % size === 0) return `${value / size}${name}`;
  return String(value);
}

/** Returns '30s' for 30000: the largest unit that divides it. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  return format(ms, [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ]);
}

/** Returns '64KiB' for 65536: the largest unit that divides it. */
export function formatBytes(bytes: number): string {
  return format(bytes, [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ]);
}
