/**
 * The command line: `evy [serve] APP [MIDDLEWARE...]` and a flag for each option.
 *
 * `util.parseArgs` splits it into tokens. The checks are made here, so that a message names the wrong flag and suggests
 * a similar one. Of a repeated flag the last value counts; a list flag collects all values.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { EvyError } from '../shared/errors.ts';
import { flagName, flagOptions, isList, isSwitch, optionRow } from '../shared/options/names.ts';
import type { Layer, Setting } from '../shared/options/resolve.ts';
import type { OptionName } from '../shared/options/table.ts';
import { didYouMean } from '../shared/options/suggest.ts';

export type Action = 'serve' | 'help' | 'version' | 'print-config' | 'check-config';

export interface CommandLine {
  action: Action;
  /** the path after --config, as it was written */
  configFile: string | undefined;
  layer: Layer;
}

type Flag = { option: OptionName; negated: boolean } | { action: Action } | { config: true };

interface FlagSpec {
  flag: Flag;
  short?: string;
  takesValue: boolean;
  /** the value's placeholder in --help */
  placeholder?: string;
}

/** Flags that are not options. `placeholder` and `help` are for --help. */
export const commandFlags = [
  {
    name: 'config',
    short: 'c',
    placeholder: 'FILE',
    help: 'Configuration file; evy.config.{js,mjs,ts,json} is found by itself.',
  },
  { name: 'print-config', help: 'Show each option, its value and where it came from.' },
  { name: 'check-config', help: 'Check options, files and certificates without listening.' },
  { name: 'help', short: 'h', help: 'Show this help.' },
  { name: 'version', short: 'v', help: 'Show the versions of evy and Node.' },
] as const;

function flagSpecs(): Map<string, FlagSpec> {
  const specs = new Map<string, FlagSpec>();
  for (const option of flagOptions) {
    const short = optionRow(option).short;
    specs.set(flagName(option), {
      flag: { option, negated: false },
      takesValue: !isSwitch(option),
      ...(isSwitch(option) ? {} : { placeholder: optionRow(option).placeholder }),
      ...(short === undefined ? {} : { short }),
    });
    if (isSwitch(option)) specs.set(`no-${flagName(option)}`, { flag: { option, negated: true }, takesValue: false });
  }
  for (const command of commandFlags) {
    const flag: Flag = command.name === 'config' ? { config: true } : { action: command.name };
    specs.set(command.name, {
      flag,
      takesValue: command.name === 'config',
      ...('placeholder' in command ? { placeholder: command.placeholder } : {}),
      ...('short' in command ? { short: command.short } : {}),
    });
  }
  return specs;
}

const specs = flagSpecs();

function parseConfig(args: readonly string[]): ParseArgsConfig & { tokens: true } {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, { short, takesValue }] of specs) {
    options[name] = { type: takesValue ? 'string' : 'boolean', ...(short === undefined ? {} : { short }) };
  }
  return { args: [...args], options, allowPositionals: true, strict: false, tokens: true };
}

type OptionToken = { name: string; rawName: string; value?: string | undefined; inlineValue?: boolean | undefined };

function checkFlag(token: OptionToken): FlagSpec {
  const spec = specs.get(token.name);
  const shown = token.rawName;
  if (spec === undefined) {
    const hint = token.name.length === 1 ? '' : didYouMean(token.name, specs.keys()).replace('mean ', 'mean --');
    throw new EvyError('USAGE', `unknown flag ${shown}${hint || '; evy --help lists all flags'}`);
  }
  const { value } = token;
  // If the next word looks like a flag, the value was forgotten. '-' alone means standard output, and `--name=-value`
  // is accepted.
  const forgotten = value === undefined || (token.inlineValue !== true && /^-./.test(value));
  if (spec.takesValue && forgotten)
    throw new EvyError(
      'USAGE',
      `${shown} must have a value${spec.placeholder === undefined ? '' : `, as in --${token.name} ${spec.placeholder}`}`,
    );
  const isOption = 'option' in spec.flag && !spec.flag.negated;
  if (!spec.takesValue && value !== undefined && !isOption)
    throw new EvyError('USAGE', `${shown} must not have a value (got '${value}')`);
  return spec;
}

function positionalSettings(words: readonly string[], folder: string): Array<[OptionName, Setting]> {
  const [app, ...middleware] = words[0] === 'serve' ? words.slice(1) : words;
  const setting = (label: string, value: unknown): Setting => ({ value, label, origin: 'command line', folder });
  const settings: Array<[OptionName, Setting]> = [];
  if (app !== undefined) settings.push(['app', setting('APP', app)]);
  if (middleware.length > 0) settings.push(['middleware', setting('MIDDLEWARE', middleware)]);
  return settings;
}

/**
 * @param folder the directory that relative paths are resolved against
 * @throws {EvyError} USAGE
 */
export function parseCommandLine(args: readonly string[], folder: string): CommandLine {
  const { tokens } = parseArgs(parseConfig(args));
  const flags = tokens.filter((token) => token.kind === 'option');
  const settings = new Map<OptionName, Setting>();
  // --help takes precedence over everything else on the line, errors included.
  if (flags.some(({ name }) => name === 'help'))
    return { action: 'help', configFile: undefined, layer: { kind: 'flags', settings } };
  let action: Action = 'serve';
  let configFile: string | undefined;
  for (const token of flags) {
    const { flag } = checkFlag(token);
    if ('action' in flag) action = flag.action;
    else if ('config' in flag) configFile = token.value;
    else {
      const { option } = flag;
      const given = token.value ?? !flag.negated;
      const before = settings.get(option)?.value as unknown[] | undefined;
      const value = isList(option) ? [...(before ?? []), given] : given;
      settings.set(option, { value, label: token.rawName, origin: `--${token.name}`, folder });
    }
  }
  const words = tokens.filter((token) => token.kind === 'positional').map((token) => token.value);
  for (const [name, setting] of positionalSettings(words, folder)) settings.set(name, setting);
  return { action, configFile, layer: { kind: 'flags', settings } };
}
