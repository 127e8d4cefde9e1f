/**
 * The option `envFile`: variables for the application. The file is read once per generation, so a replacement worker
 * gets the same variables even when the file has changed since. As with node --env-file, existing variables take
 * precedence.
 */
import { readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';
import { EvyError } from '../../shared/errors.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Returns the variables that the file adds to `environment`; none when no file is named.
 * @throws {EvyError} BAD_OPTION when the file cannot be read
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
