/**
 * Merges layers of settings into one set of checked options.
 *
 * The layers are, from the lowest: defaults, the configuration file, the environment, flags. For each option the
 * highest layer that sets it counts, and only that value is checked. The origin of each value is kept for
 * `--print-config` and for messages, which name the option as the user wrote it.
 *
 * `bind` and the pair `host`, `port` are alternatives. The higher layer counts. Within one layer, `bind` counts in the
 * environment, where platforms set PORT by themselves; in any other layer, using both is an error. A bind that is only
 * a port takes its host from `host`.
 */
import type * as z from 'zod/mini';
import { EvyError } from '../errors.ts';
import { optionKey, optionNames, optionRow } from './names.ts';
import { absolutePaths } from './paths.ts';
import type { OptionName, Options } from './table.ts';

export type LayerKind = 'file' | 'environment' | 'flags' | 'call';

export interface Setting {
  readonly value: unknown;
  /** the option as the user wrote it: '--port', 'PORT', 'evy.config.ts: port' */
  readonly label: string;
  /** the origin of the value: '--port', 'PORT', '/srv/app/evy.config.ts' */
  readonly origin: string;
  /** the directory that relative paths in the value are resolved against */
  readonly folder: string;
}

export interface Layer {
  readonly kind: LayerKind;
  readonly settings: ReadonlyMap<OptionName, Setting>;
}

/** 'default', or the origin of the setting that counts. */
export type Origins = Readonly<Record<OptionName, string>>;

export interface Resolved {
  readonly options: Options;
  readonly origins: Origins;
}

const longestShownValue = 80;

function shown(value: unknown): string {
  const isLine = typeof value === 'string' && !/\p{Cc}/u.test(value);
  const text = isLine ? `'${value}'` : (JSON.stringify(value) ?? String(value));
  return text.length > longestShownValue ? `${text.slice(0, longestShownValue)}...` : text;
}

/** The message names the option as it was written, the rule, and the value; of a list only the wrong entry. */
function complaint({ label, value }: Setting, issue: z.core.$ZodIssue): string {
  const entry: unknown = issue.code === 'custom' ? issue.params?.['part'] : undefined;
  return `${label} ${issue.message} (got ${shown(entry ?? value)})`;
}

/** Returns the index of the highest layer that sets one of the options; -1 when none does. */
function highest(layers: readonly Layer[], ...names: OptionName[]): number {
  return layers.findLastIndex((layer) => names.some((name) => layer.settings.has(name)));
}

/** Whether one of the addresses is only a port, which takes its host from the option `host`. */
function usesHost(addresses: unknown): boolean {
  return [addresses].flat().some((address) => /^(tls:)?\d+$/.test(String(address)));
}

/** Returns the options that `bind` overrides, or `bind` when it is overridden. */
function losers(layers: readonly Layer[]): ReadonlySet<OptionName> {
  const bindLayer = layers[highest(layers, 'bind')];
  const bind = bindLayer?.settings.get('bind');
  if (bindLayer === undefined || bind === undefined) return new Set();
  const rivals: OptionName[] = usesHost(bind.value) ? ['port'] : ['host', 'port'];
  const rivalLayer = layers[highest(layers, ...rivals)];
  if (rivalLayer === undefined) return new Set();
  if (rivalLayer === bindLayer && bindLayer.kind !== 'environment') {
    const rival = rivals.map((name) => bindLayer.settings.get(name)).find((setting) => setting !== undefined);
    throw new EvyError('BAD_OPTION', `${bind.label} and ${rival!.label} both set the address: leave one out`);
  }
  return layers.indexOf(bindLayer) >= layers.indexOf(rivalLayer) ? new Set(rivals) : new Set(['bind']);
}

/**
 * Merges layers, the lowest first, and checks the resulting values.
 * @throws {EvyError} BAD_OPTION, one line for each wrong value
 */
export function resolveOptions(layers: readonly Layer[]): Resolved {
  const options: Record<string, unknown> = {};
  const origins: Partial<Record<OptionName, string>> = {};
  const wrong: string[] = [];
  const dropped = losers(layers);
  for (const name of optionNames) {
    const row = optionRow(name);
    const setting = dropped.has(name) ? undefined : layers[highest(layers, name)]?.settings.get(name);
    origins[name] = setting?.origin ?? 'default';
    if (setting === undefined) {
      options[optionKey(name)] = structuredClone(row.default);
      continue;
    }
    const checked = row.schema.safeParse(absolutePaths(name, setting.value, setting.folder));
    if (checked.success) options[optionKey(name)] = checked.data;
    else wrong.push(complaint(setting, checked.error.issues[0]!));
  }
  if (wrong.length > 0) throw new EvyError('BAD_OPTION', wrong.join('\n'));
  return { options: options as Options, origins: origins as Origins };
}
