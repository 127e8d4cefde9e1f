/**
 * `--print-config`: one line per option in table order, with its name, its value as a user would write it, and its
 * origin.
 */
import { formatOption } from '../shared/options/format.ts';
import { optionKey, optionNames } from '../shared/options/names.ts';
import type { Resolved } from '../shared/options/resolve.ts';
import type { Options } from '../shared/options/table.ts';

const widestValue = 48;

export function printedConfig({ options, origins }: Resolved): string {
  const rows = optionNames.map(
    (name) => [name, formatOption(name, options[optionKey(name) as keyof Options]), origins[name]] as const,
  );
  const nameWidth = Math.max(...rows.map(([name]) => name.length));
  // A single long value (a log format) must not push all origins off the screen.
  const valueWidth = Math.min(widestValue, Math.max(...rows.map(([, value]) => value.length)));
  return rows
    .map(([name, value, origin]) => `${name.padEnd(nameWidth)}  ${value.padEnd(valueWidth)}  ${origin}\n`)
    .join('');
}
