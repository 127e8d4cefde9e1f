/**
 * Prepares an error of the user's own code for display: its stack without the frames of Node and of evy, and with the
 * location of a syntax error.
 */
import { spawnSync } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { EvyError, toError, type ErrorCode } from './errors.ts';
import { ownFolder } from './own-files.ts';

const locateTimeoutMs = 5_000;

/** The stack without frames inside Node and inside `folder`. Causes are not part of it. */
export function userStack(stack: string, folder = ownFolder): string {
  const folderUrl = pathToFileURL(folder).href;
  const foreign = (line: string): boolean =>
    !/^\s+at /.test(line) || !(line.includes('node:') || line.includes(folder) || line.includes(folderUrl));
  return stack.split('\n').filter(foreign).join('\n').trimEnd();
}

/**
 * Returns the location of a syntax error in a module or its imports as Node prints it: file and line, the source line,
 * a mark.
 *
 * V8 leaves the location of an ES module's syntax error out of the stack; Node prints it only for an error that ends a
 * process, so a child process reproduces it. The application does not run there: all imports are linked before the
 * first module is evaluated, and the first one exits.
 */
function locateSyntaxError(path: string): string | undefined {
  const code = `import 'data:text/javascript,process.exit(0)'; import ${JSON.stringify(pathToFileURL(path).href)};`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
    encoding: 'utf8',
    timeout: locateTimeoutMs,
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const end = child.stderr?.search(/^SyntaxError/m) ?? -1;
  return end > 0 ? child.stderr.slice(0, end).trimEnd() : undefined;
}

const deepestCause = 5;

/** Joins the stacks of an error and of its causes. */
function stackWithCauses(error: Error, depth = 0): string {
  const own = userStack(error.stack ?? `${error.name}: ${error.message}`);
  const cause = error.cause;
  return cause instanceof Error && depth < deepestCause
    ? `${own}\ncaused by: ${stackWithCauses(cause, depth + 1)}`
    : own;
}

/** Converts what was thrown while `path` was loaded to an Error whose stack can be displayed. */
export function loadError(thrown: unknown, path: string): Error {
  const error = toError(thrown);
  const stack = thrown instanceof Error ? stackWithCauses(error) : error.message;
  const place = error instanceof SyntaxError && stack.startsWith('SyntaxError') ? locateSyntaxError(path) : undefined;
  const shown = new Error(error.message);
  shown.name = error.name;
  shown.stack = place === undefined ? stack : `${place}\n\n${stack}`;
  return shown;
}

/** The first line of an error's message, with the second one if the first only introduces it, as esbuild's does. */
export function headline(error: Error): string {
  const [first = '', second] = error.message.split('\n');
  return first.endsWith(':') && second !== undefined ? `${first} ${second.trim()}` : first;
}

/** The stack of the user's own error that an EvyError has as its cause; undefined for errors of other kinds. */
export function userStackOf(error: EvyError): string | undefined {
  const about: ReadonlySet<ErrorCode> = new Set(['APP_LOAD_FAILED', 'BAD_CONFIG', 'WORKERS_CANNOT_BOOT']);
  if (!about.has(error.code)) return undefined;
  const { cause } = error;
  if (cause instanceof EvyError) return userStackOf(cause);
  return cause instanceof Error && cause.stack !== undefined ? userStack(cause.stack) : undefined;
}
