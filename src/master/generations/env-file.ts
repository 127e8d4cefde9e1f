/**
 * The option `envFile`: variables for the application, read once per generation, so that a replacement gets what its
 * generation got, whatever the file holds by then. As with node --env-file, what the environment has already wins.
 */
import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { EvyError } from '../../shared/errors.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The variables that the file adds to `environment`; none when no file is named.
 * @throws {EvyError} BAD_OPTION when it cannot be read
 */
export async function readEnvFile(path: string, environment: Variables): Promise<Variables> {
  if (path === '') return {};
  let content: string;
  try {
    content = await readFile(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new EvyError('BAD_OPTION', `option envFile: the file ${path} cannot be read (${code ?? message})`, { cause });
  }
  const added = Object.entries(parseEnv(content)).filter(([name]) => environment[name] === undefined);
  return Object.fromEntries(added);
}
