/**
 * Resolves the application that the command line names to absolute, real paths, once per generation. So a `current` link that moves
 * on changes nothing for a generation that already runs, and takes effect with the next one.
 */
import { realpathSync } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EvyError } from '../../shared/errors.ts';
import { statusOf } from '../../shared/file-status.ts';
import type { Options } from '../../shared/options/table.ts';
import type { ModuleReference, Release } from '../../shared/protocol/messages.ts';

const endings = [
  '',
  '.js',
  '.mjs',
  '.cjs',
  '.ts',
  '.mts',
  '.cts',
  '/index.js',
  '/index.mjs',
  '/index.cjs',
  '/index.ts',
];

/**
 * The working directory as the shell has it, symlinks kept (pwd(1), PWD in POSIX): process.cwd() is the real one, and
 * an application given relative to a link would stay with the first release for ever.
 */
export function logicalDirectory(
  env: Readonly<Record<string, string | undefined>> = process.env,
  cwd = process.cwd(),
): string {
  const shell = env['PWD'];
  try {
    if (shell?.startsWith('/') && statusOf(shell)?.isDirectory() && realpathSync(shell) === cwd) return shell;
  } catch {
    // PWD is only a hint.
  }
  return cwd;
}

/** Splits 'path/to/module:export'. A colon that is not followed by an identifier belongs to the path. */
export function parseModule(text: string): { path: string; exportName?: string } {
  const match = /^(.+):([A-Za-z_$][\w$]*)$/.exec(text);
  return match ? { path: match[1]!, exportName: match[2]! } : { path: text };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function findModule(text: string, directory: string, what: string): Promise<ModuleReference> {
  const { path, exportName } = parseModule(text);
  const base = path.startsWith('file:') ? fileURLToPath(path) : resolve(directory, path);
  for (const ending of endings) {
    const candidate = base + ending;
    if (await isFile(candidate)) return { path: await realpath(candidate), exportName };
  }
  throw new EvyError(
    'APP_NOT_FOUND',
    `${what} ${text}: this module does not exist (tried ${base}, also with .js, .mjs, .cjs and .ts, and as a folder with an index)`,
  );
}

/** @throws {EvyError} USAGE when no application is named, APP_NOT_FOUND */
export async function resolveRelease(
  options: Pick<Options, 'app' | 'middleware' | 'interface'>,
  directory: string,
): Promise<Release> {
  if (options.app === '')
    throw new EvyError('USAGE', 'the application is missing: name it, as in evy app.js (evy --help shows all options)');
  return {
    app: await findModule(options.app, directory, 'application'),
    middleware: await Promise.all(options.middleware.map((module) => findModule(module, directory, 'middleware'))),
    interface: options.interface,
  };
}
