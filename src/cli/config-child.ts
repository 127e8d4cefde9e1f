/**
 * Runs in a child process: imports a configuration file, calls its default export if that is a function, sends the
 * result to the master and exits, even if the file left timers or sockets open.
 */
import { pathToFileURL } from 'node:url';
import { EvyError } from '../shared/errors.ts';
import { HeldSignals } from '../shared/held-signals.ts';
import { enableTypeScript, typeScriptHint } from '../shared/typescript.ts';
import { headline, loadError } from '../shared/user-error.ts';
import type { ConfigMessage } from './config-file.ts';

/**
 * Returns the path and kind of a value that cannot be sent to the master, as in 'app: a function'; undefined when all
 * can.
 */
function notPlain(value: unknown, path: string, seen = new Set<unknown>()): string | undefined {
  if (typeof value === 'function' || typeof value === 'symbol' || typeof value === 'bigint')
    return `${path} is a ${typeof value}`;
  if (typeof value !== 'object' || value === null) return undefined;
  if (seen.has(value)) return `${path} refers to itself`;
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!plain) return `${path} is a ${value.constructor.name}`;
  const within = new Set([...seen, value]);
  for (const [name, item] of Object.entries(value)) {
    const found = notPlain(item, path === '' ? name : `${path}.${name}`, within);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function evaluate(path: string): Promise<unknown> {
  const plan = await enableTypeScript(path);
  try {
    const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
    let value = module.default;
    // Transpiled CommonJS has its default export inside the default export.
    if (typeof value === 'object' && value !== null && '__esModule' in value)
      value = (value as { default?: unknown }).default;
    if (value === undefined)
      throw new EvyError(
        'BAD_CONFIG',
        `${path} must have a default export: an object with options, or a function that returns one`,
      );
    return await (typeof value === 'function' ? (value as () => unknown)() : value);
  } catch (thrown) {
    if (thrown instanceof EvyError) throw thrown;
    const cause = loadError(thrown, path);
    throw new EvyError('BAD_CONFIG', `${path} failed to load: ${headline(cause)}${typeScriptHint(plan, thrown)}`, {
      cause,
    });
  }
}

async function run(path: string): Promise<ConfigMessage> {
  try {
    const value = await evaluate(path);
    const found = notPlain(value, '');
    if (found === undefined) return { type: 'config', value };
    throw new EvyError(
      'BAD_CONFIG',
      `${path} must hold plain data, with modules named by their path (${found.trim()})`,
    );
  } catch (error) {
    const { code, message, cause } = error as EvyError;
    return { type: 'failed', code, message, stack: (cause as Error | undefined)?.stack };
  }
}

function answer(message: ConfigMessage): void {
  process.send!(message, () => process.exit(0));
}

// A terminal sends signals to the whole process group; only the master acts on them. Without a master the answer is not
// needed, so this process exits. The channel is unreferenced so that a file which awaits forever is noticed by an empty
// event loop.
new HeldSignals().passOn();
process.once('disconnect', () => process.exit(1));
process.channel?.unref();

const path = process.argv[2]!;
// The event loop became empty before there was a result. (With an await here, Node would blame this file instead.)
process.once('beforeExit', () => {
  const message = `${path} gave no options: it awaits a promise that is never settled`;
  answer({ type: 'failed', code: 'BAD_CONFIG', message, stack: undefined });
});
void run(path).then(answer);
