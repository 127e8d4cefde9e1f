/**
 * The names of an option, all derived from the name of its row: `maxHead` is `--max-head` as a flag, `EVY_MAX_HEAD` as
 * a variable, `maxHead` in a file and in the API, and its row's `key` in the code.
 */
import { optionTable, type OptionName, type OptionRow } from './table.ts';

export const optionNames = Object.keys(optionTable) as OptionName[];

export function optionRow(name: OptionName): OptionRow {
  return optionTable[name];
}

export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(optionTable, name);
}

function words(name: string, separator: string): string {
  return name.replace(/[A-Z]/g, (letter) => `${separator}${letter.toLowerCase()}`);
}

/** 'max-head' for maxHead. */
export function flagName(name: OptionName): string {
  return words(name, '-');
}

/** The variables that set an option: EVY_PORT, then PORT. The first one that is set counts. */
export function variableNames(name: OptionName): string[] {
  const row = optionRow(name);
  if (row.flag === false) return [];
  return [`EVY_${words(name, '_').toUpperCase()}`, ...(row.env ?? [])];
}

/** The property of `Options` that holds the option. */
export function optionKey(name: OptionName): string {
  return optionRow(name).key ?? name;
}

/** Whether the option is true or false: `--debug`, `--no-debug`. */
export function isSwitch(name: OptionName): boolean {
  return typeof optionRow(name).default === 'boolean';
}

export function isList(name: OptionName): boolean {
  return Array.isArray(optionRow(name).default);
}

/** Options that are flags, in table order. */
export const flagOptions = optionNames.filter(
  (name) => optionRow(name).flag !== false && optionRow(name).positional !== true,
);
