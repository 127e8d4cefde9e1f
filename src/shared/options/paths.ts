/**
 * Makes relative paths in option values absolute when they are read: paths of a configuration file belong to the file's
 * folder, all others to the working directory. So a value means the same in the master, in a worker whose application
 * changed its directory, and after layers were merged.
 */
import { resolve } from 'node:path';
import { parseAccessTarget } from './access-target.ts';
import { optionRow } from './names.ts';
import type { OptionName } from './table.ts';

const unixAddress = /^((?:tls:)?unix:)(.+)$/s;

function absoluteText(kind: 'file' | 'log' | 'module' | 'address', value: string, folder: string): string {
  if (value === '') return value;
  if (kind === 'log' || kind === 'address') {
    const match = unixAddress.exec(value);
    if (match !== null) return `${match[1]}${resolve(folder, match[2]!)}`;
    if (kind === 'address' || parseAccessTarget(value)?.kind !== 'file') return value;
  }
  // A module may be given as a URL, as import.meta.resolve() returns it.
  return kind === 'module' && value.startsWith('file:') ? value : resolve(folder, value);
}

/** Resolves relative paths in the value against `folder`. Values that are not text are left for the check. */
export function absolutePaths(name: OptionName, value: unknown, folder: string): unknown {
  const kind = optionRow(name).path;
  if (kind === undefined) return value;
  const one = (item: unknown): unknown => (typeof item === 'string' ? absoluteText(kind, item, folder) : item);
  return Array.isArray(value) ? value.map(one) : one(value);
}
