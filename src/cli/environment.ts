/**
 * Options from environment variables: `EVY_*`, then the names that platforms use (PORT, WEB_CONCURRENCY).
 *
 * An empty variable counts as unset, as in a shell's `${PORT:-8080}`. Lists are separated by commas. An unknown `EVY_*`
 * variable may belong to the application, so only those that resemble an option are reported.
 */
import { isList, optionNames, variableNames } from '../shared/options/names.ts';
import type { Layer, Setting } from '../shared/options/resolve.ts';
import type { OptionName } from '../shared/options/table.ts';
import { suggest } from '../shared/options/suggest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvironmentOptions {
  layer: Layer;
  /** variables that are probably misspelt options */
  suspects: Array<{ variable: string; meant: string }>;
}

function listItems(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

export function environmentLayer(environment: Environment, folder: string): EnvironmentOptions {
  const settings = new Map<OptionName, Setting>();
  const known: string[] = [];
  for (const name of optionNames) {
    const variables = variableNames(name);
    known.push(...variables);
    const variable = variables.find((one) => (environment[one] ?? '') !== '');
    if (variable === undefined) continue;
    const text = environment[variable]!;
    settings.set(name, { value: isList(name) ? listItems(text) : text, label: variable, origin: variable, folder });
  }
  const suspects: EnvironmentOptions['suspects'] = [];
  for (const variable of Object.keys(environment).toSorted()) {
    if (!variable.startsWith('EVY_') || known.includes(variable)) continue;
    // All names share the prefix, so only the rest is compared.
    const meant = suggest(
      variable.slice('EVY_'.length),
      known.filter((name) => name.startsWith('EVY_')).map((name) => name.slice('EVY_'.length)),
    );
    if (meant !== undefined) suspects.push({ variable, meant: `EVY_${meant}` });
  }
  return { layer: { kind: 'environment', settings }, suspects };
}
