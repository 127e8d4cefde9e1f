/** A generation is what one start or reload runs. It is resolved once, so replaced workers boot the same. */
import { realpath } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { readCertificate } from '../../shared/certificate.ts';
import { serverSettings } from '../../shared/options/input.ts';
import { optionKey } from '../../shared/options/names.ts';
import { optionTable } from '../../shared/options/table.ts';
import type { OptionName, OptionRow, Options, ServerSettings } from '../../shared/options/table.ts';
import type { Release } from '../../shared/protocol/messages.ts';
import { readEnvFile } from './env-file.ts';
import type { Variables } from './env-file.ts';
import { resolveRelease } from './release.ts';

/** The result of a reload's preparation: reading the configuration and finding the application again. */
export type Preparation = { generation: Generation; ignored: readonly string[] } | { error: Error };

export interface Generation {
  readonly number: number;
  readonly options: Options;
  readonly release: Release;
  readonly settings: ServerSettings;
  /** the working directory of its workers, without symbolic links */
  readonly directory: string;
  /** variables added to its workers' environment */
  readonly variables: Variables;
}

/**
 * Takes the options that a reload may change from `fresh` and the others from `running`; `ignored` names those of the
 * others that differ.
 */
export function reloadedOptions(running: Options, fresh: Options): { options: Options; ignored: OptionName[] } {
  const result: Record<string, unknown> = { ...fresh };
  const ignored: OptionName[] = [];
  for (const [name, row] of Object.entries<OptionRow>(optionTable)) {
    if (row.appliesOn === 'reload') continue;
    const key = optionKey(name as OptionName) as keyof Options;
    if (!isDeepStrictEqual(running[key], fresh[key])) ignored.push(name as OptionName);
    result[key] = running[key];
  }
  return { options: result as Options, ignored };
}

/** @throws {EvyError} when the application's path, the certificate or the file with variables is wrong */
export async function prepareGeneration(
  number: number,
  options: Options,
  place: { directory: string; tls: boolean },
): Promise<Generation> {
  const release = await resolveRelease(options, place.directory);
  if (place.tls) await readCertificate(options);
  const directory = await realpath(place.directory);
  // A PWD that still names the link could lead the application to another release.
  const variables = { ...(await readEnvFile(options.envFile, process.env)), PWD: directory };
  return { number, options, release, settings: serverSettings(options), directory, variables };
}
