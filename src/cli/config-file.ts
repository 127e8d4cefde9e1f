/**
 * Finds and reads the configuration file, and turns it into a layer of settings.
 *
 * A JavaScript or TypeScript file is imported in a child process, which sends the plain data back and exits. The master
 * could not import it again at a reload: modules are cached, and a changing query in the URL would reload the file but
 * not its imports, and leak each version. Also, the master must not run user code. JSON is parsed here.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { errorTable, EvyError, toError, type ErrorCode } from '../shared/errors.ts';
import { closeHandle, guardChannel } from '../shared/node-private/node-private.ts';
import { layerOf } from '../shared/options/input.ts';
import type { Layer } from '../shared/options/resolve.ts';
import { entryFile } from '../shared/own-files.ts';
import { statusOf } from '../shared/file-status.ts';
import { verdictOn } from '../shared/protocol/internal-messages.ts';

/** The message of the child process: the data, or the error. */
export type ConfigMessage =
  | { type: 'config'; value: unknown }
  | { type: 'failed'; code: ErrorCode; message: string; stack: string | undefined };

/** User code runs in that process, so its messages may have any form. */
function isConfigMessage(value: unknown): value is ConfigMessage {
  const { type, code, message, stack } = (value ?? {}) as Partial<Extract<ConfigMessage, { type: 'failed' }>>;
  if (type !== 'failed') return (type as string | undefined) === 'config';
  const isText = typeof message === 'string' && (stack === undefined || typeof stack === 'string');
  return isText && Object.hasOwn(errorTable, String(code));
}

const names = ['evy.config.js', 'evy.config.mjs', 'evy.config.ts', 'evy.config.json'] as const;
const readTimeoutMs = 10_000;
const childFile = entryFile('cli/config-child');

/**
 * Returns the file's path in the real directory that a link leads to, so that its relative paths belong to one release.
 * The file itself may be a link into a directory that releases share; its relative paths then belong to the directory
 * of the link.
 */
function inRealFolder(path: string): string {
  return join(realpathSync(dirname(path)), basename(path));
}

/**
 * Returns the file named with --config, or the one in the folder; undefined when there is none.
 * @throws {EvyError} BAD_CONFIG when the named file is missing, or the folder has several
 */
export function findConfigFile(named: string | undefined, folder: string): string | undefined {
  if (named !== undefined) {
    const path = resolve(folder, named);
    const isFile = statusOf(path)?.isFile() ?? false;
    if (!isFile) throw new EvyError('BAD_CONFIG', `--config ${named}: this file does not exist`);
    return inRealFolder(path);
  }
  const found = names.filter((name) => existsSync(join(folder, name)));
  if (found.length > 1)
    throw new EvyError(
      'BAD_CONFIG',
      `${found.join(' and ')} are both in ${folder}: keep one, or name one with --config`,
    );
  return found[0] === undefined ? undefined : inRealFolder(join(folder, found[0]));
}

/** ' (line 3, column 5)' for the place that a JSON error names. */
function jsonPlace(text: string, message: string): string {
  const position = /position (\d+)/.exec(message)?.[1];
  const before = text.slice(0, position === undefined ? text.length : Number(position)).split('\n');
  return `line ${before.length}, column ${before.at(-1)!.length + 1}`;
}

function readJson(path: string): unknown {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (thrown) {
    throw new EvyError('BAD_CONFIG', `${path} cannot be read: ${(thrown as Error).message}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    const { message } = thrown as SyntaxError;
    const reason = message.replace(/ in JSON at position.*| \(line \d+.*|, (?:\.\.\.)?".*is not valid JSON$/s, '');
    throw new EvyError('BAD_CONFIG', `${path} must be JSON: ${reason} (${jsonPlace(text, message)})`);
  }
}

function userCause(stack: string | undefined): { cause?: Error } {
  if (stack === undefined) return {};
  const cause = new Error('the configuration file failed');
  cause.stack = stack;
  return { cause };
}

async function readModule(path: string, folder: string, timeoutMs: number): Promise<unknown> {
  // Output of the file goes to standard error, since standard output may be that of --print-config.
  const execArgv = process.execArgv.filter((flag) => !flag.startsWith('--inspect'));
  const child = fork(childFile, [path], { execArgv, stdio: ['ignore', 2, 2, 'ipc'], cwd: folder });
  let message: ConfigMessage | undefined;
  let fault: string | undefined;
  guardChannel(child, {
    admit: (internal) => {
      if (verdictOn(internal) !== undefined) throw new Error('a message whose cmd begins with NODE_');
      return true;
    },
    onFault: (thrown) => {
      fault = toError(thrown).message;
      child.kill('SIGKILL');
    },
  });
  child.on('message', (received, handle) => {
    closeHandle(handle);
    if (isConfigMessage(received)) message ??= received;
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, timeoutMs);
  const [code, signal] = (await once(child, 'close').finally(() => clearTimeout(timer))) as [
    number | null,
    string | null,
  ];
  if (message?.type === 'config') return message.value;
  if (message !== undefined) throw new EvyError(message.code, message.message, userCause(message.stack));
  if (fault !== undefined) throw new EvyError('BAD_CONFIG', `${path} sent what Node reserves for itself: ${fault}`);
  if (late) throw new EvyError('BAD_CONFIG', `${path} did not give its options within ${timeoutMs / 1000} s`);
  throw new EvyError(
    'BAD_CONFIG',
    `${path} gave no options: it ended its own process (${signal ?? `exit code ${code}`})`,
  );
}

/**
 * Reads the options of a configuration file, each time from disk. Relative paths are resolved against the file's
 * folder. A module runs in `folder`, since the directory in which this process was started may have been removed with
 * its release.
 * @throws {EvyError} BAD_CONFIG, with the user's own error as cause; NO_TYPESCRIPT
 */
export async function readConfigFile(path: string, folder = process.cwd(), timeoutMs = readTimeoutMs): Promise<Layer> {
  const value = extname(path) === '.json' ? readJson(path) : await readModule(path, folder, timeoutMs);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new EvyError(
      'BAD_CONFIG',
      `${path} must hold an object with options (got ${Array.isArray(value) ? 'an array' : value === null ? 'null' : `a ${typeof value}`})`,
    );
  }
  return layerOf('file', value as Record<string, unknown>, {
    label: (name) => `${basename(path)}: ${name}`,
    origin: path,
    folder: dirname(path),
    code: 'BAD_CONFIG',
  });
}
