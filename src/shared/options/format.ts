/** Formats an option's value as a user would write it in a flag or a file. */
import { optionRow } from './names.ts';
import type { OptionName } from './table.ts';
import { formatBytes, formatDuration } from './units.ts';
import { formatWorkerRange, isWorkerRange } from './worker-range.ts';

function quoted(text: string): string {
  return text === '' || /[\s'"]/.test(text) ? `'${text.replaceAll("'", String.raw`\'`)}'` : text;
}

/** Returns '30s' for `grace` of 30000; list entries are separated by commas, text with blanks is quoted. */
export function formatOption(name: OptionName, value: unknown): string {
  const row = optionRow(name);
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.map((one) => quoted(String(one))).join(', ');
  if (typeof value === 'object' && value !== null) {
    if (isWorkerRange(value)) return formatWorkerRange(value);
    return Object.keys(value).length === 0 ? 'none' : JSON.stringify(value);
  }
  if (typeof value === 'number') {
    if (row.unit === 'seconds') return formatDuration(value);
    if (row.unit === 'bytes') return formatBytes(value);
    if (row.unit === 'percent') return `${value}%`;
    if (row.unit === 'octal') return value.toString(8).padStart(4, '0');
  }
  if (value === '') return 'none';
  return typeof value === 'string' ? quoted(value) : String(value);
}

/** The default as help and documentation show it; the same on every machine. */
export function defaultText(name: OptionName): string {
  const row = optionRow(name);
  return row.defaultText ?? formatOption(name, row.default);
}
