/**
 * Reads options from an object: the export of a configuration file, or the argument of `createMaster()`. Unknown names
 * are errors, since a silently ignored option is worse than a refused one.
 */
import { EvyError } from '../errors.ts';
import { isOptionName, optionKey, optionNames } from './names.ts';
import { resolveOptions, type Layer, type LayerKind, type Setting } from './resolve.ts';
import {
  serverOptionTable,
  type OptionName,
  type Options,
  type OptionsInput,
  type ServerOptionsInput,
  type ServerSettings,
} from './table.ts';
import { didYouMean } from './suggest.ts';

/**
 * Makes a layer of named values; `undefined` counts as not given.
 * @throws {EvyError} `describe.code`, with a similar option as suggestion
 */
export function layerOf(
  kind: LayerKind,
  input: Readonly<Record<string, unknown>>,
  describe: { label: (name: string) => string; origin: string; folder: string; code: 'BAD_OPTION' | 'BAD_CONFIG' },
  known: readonly string[] = optionNames,
): Layer {
  const settings = new Map<OptionName, Setting>();
  for (const [name, value] of Object.entries(input)) {
    if (!isOptionName(name) || !known.includes(name)) {
      const named = known.find((one) => optionKey(one as OptionName) === name);
      const hint = named === undefined ? didYouMean(name, known) : `; did you mean ${named}?`;
      throw new EvyError(describe.code, `${describe.label(name)} is not an option${hint}`);
    }
    if (value !== undefined)
      settings.set(name, { value, label: describe.label(name), origin: describe.origin, folder: describe.folder });
  }
  return { kind, settings };
}

const fromCall = (folder: string): Parameters<typeof layerOf>[2] => ({
  label: (name) => `option ${name}`,
  origin: 'call',
  folder,
  code: 'BAD_OPTION',
});

/**
 * Resolves options as `createMaster({ app, workers, grace: '10s' })` takes them. Neither variables nor files are read.
 * Relative paths are resolved against `folder`.
 * @throws {EvyError} BAD_OPTION
 */
export function resolveInput(input: OptionsInput, folder = process.cwd()): Options {
  return resolveOptions([layerOf('call', input, fromCall(folder))]).options;
}

/** The same for the one-process server, which takes only the options of `serverOptionTable`. */
export function resolveServerInput(input: ServerOptionsInput, folder = process.cwd()): ServerSettings {
  return serverSettings(
    resolveOptions([layerOf('call', input, fromCall(folder), Object.keys(serverOptionTable))]).options,
  );
}

/** The options that workers get. */
export function serverSettings(options: Options): ServerSettings {
  const names = Object.keys(serverOptionTable) as Array<keyof typeof serverOptionTable>;
  const entries = names.map((name) => [optionKey(name), options[optionKey(name) as keyof Options]]);
  return Object.fromEntries(entries) as ServerSettings;
}
