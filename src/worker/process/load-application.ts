/**
 * Loads a release in this process: the application, then its middleware.
 *
 * The user must be able to repair every failure here, so each one names the module and the export in one line. The
 * exception of the module itself is the error's cause, with only the user's frames in its stack.
 */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { EvyError } from '../../shared/errors.ts';
import type { ModuleReference, Release } from '../../shared/protocol/messages.ts';
import { enableTypeScript, typeScriptHint } from '../../shared/typescript.ts';
import { headline, loadError } from '../../shared/user-error.ts';
import { asApplication, describeExport, detectInterface } from '../interfaces/application-kind.ts';
import type { LoadedApplication } from '../interfaces/application-kind.ts';

export type { LoadedApplication } from '../interfaces/application-kind.ts';

const applicationNames = ['application', 'app'] as const;
const middlewareNames = ['middleware'] as const;

interface Loaded {
  label: string;
  value: unknown;
}

async function importModule(reference: ModuleReference): Promise<Record<string, unknown>> {
  const { path } = reference;
  if (!existsSync(path)) throw new EvyError('APP_NOT_FOUND', `${path}: this file does not exist`);
  const plan = await enableTypeScript(path);
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  } catch (thrown) {
    const cause = loadError(thrown, path);
    throw new EvyError('APP_LOAD_FAILED', `${path} failed to load: ${headline(cause)}${typeScriptHint(plan, thrown)}`, {
      cause,
    });
  }
}

async function loadExport(
  reference: ModuleReference,
  usualNames: readonly string[],
  fits: (value: unknown) => boolean,
): Promise<Loaded> {
  const module = await importModule(reference);
  const picked = pickExport(module, reference.exportName, usualNames, fits);
  if (!picked.found) {
    const wanted =
      reference.exportName === undefined
        ? `none of the exports default, ${usualNames.join(', ')}`
        : `no export ${reference.exportName}`;
    const exported = picked.names.length === 0 ? 'it exports nothing' : `it exports ${picked.names.join(', ')}`;
    throw new EvyError('APP_NOT_FOUND', `${reference.path} has ${wanted}; ${exported}`);
  }
  return { label: `${reference.path}:${picked.name}`, value: await settled(picked.value, reference.path) };
}

/** An export may be a promise, for an application that is built asynchronously. */
async function settled(value: unknown, path: string): Promise<unknown> {
  if (!(value instanceof Promise)) return value;
  try {
    return (await value) as unknown;
  } catch (thrown) {
    const cause = loadError(thrown, path);
    throw new EvyError(
      'APP_LOAD_FAILED',
      `${path} failed to load: its export is a promise that was rejected: ${headline(cause)}`,
      {
        cause,
      },
    );
  }
}

async function wrap(inner: LoadedApplication, reference: ModuleReference): Promise<LoadedApplication> {
  const { label, value } = await loadExport(reference, middlewareNames, (candidate) => typeof candidate === 'function');
  if (typeof value !== 'function') {
    throw new EvyError(
      'APP_NOT_CALLABLE',
      `middleware ${label} is ${describeExport(value)}; it must be a function that takes an application and returns one`,
    );
  }
  let outer: unknown;
  try {
    outer = await (value as (app: unknown) => unknown)(inner.app);
  } catch (thrown) {
    const cause = loadError(thrown, reference.path);
    throw new EvyError('APP_LOAD_FAILED', `middleware ${label} failed: ${headline(cause)}`, { cause });
  }
  const wrapped = asApplication(outer, inner.interface, `what middleware ${basename(reference.path)} returned`);
  return inner.isGuess ? { ...wrapped, isGuess: true } : wrapped;
}

/**
 * Imports the application and applies its middleware, in order.
 * @throws {EvyError} APP_NOT_FOUND, APP_NOT_CALLABLE, APP_LOAD_FAILED (with the cause), NO_TYPESCRIPT
 */
export async function loadRelease(release: Release): Promise<LoadedApplication> {
  const fits = (value: unknown): boolean => value instanceof Promise || detectInterface(value) !== undefined;
  const { label, value } = await loadExport(release.app, applicationNames, fits);
  let application = asApplication(value, release.interface, label);
  for (const reference of release.middleware) application = await wrap(application, reference);
  return application;
}

// ---- Choosing an export of a module. CommonJS appears in several forms: `module.exports` as `default`, transpiled
// `exports.default` as `default.default`, and named exports that Node's lexer did not find only inside `default`.

export type PickedExport = { found: true; name: string; value: unknown } | { found: false; names: string[] };

type Names = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Names {
  return typeof value === 'object' && value !== null;
}

/** `default.default` of transpiled CommonJS; a plain `default` otherwise. */
export function unwrapDefault(value: unknown): unknown {
  const marked = isObject(value) && 'default' in value && ('__esModule' in value || Object.keys(value).length === 1);
  return marked ? value['default'] : value;
}

/**
 * Returns the named export, or else the first of the default export and `usualNames` that `fits`. If none does, returns
 * the first that exists, so that the message can describe it.
 */
export function pickExport(
  module: Names,
  exportName: string | undefined,
  usualNames: readonly string[],
  fits: (value: unknown) => boolean,
): PickedExport {
  const inner = isObject(module['default']) ? module['default'] : {};
  const named = (name: string): unknown => (name in module ? module[name] : inner[name]);
  const wanted = exportName === undefined ? ['default', ...usualNames] : [exportName];
  const present = wanted
    .map((name) => ({ name, value: name === 'default' ? unwrapDefault(module['default']) : named(name) }))
    .filter(({ value }) => value !== undefined);
  const chosen = present.find(({ value }) => fits(value)) ?? present[0];
  if (chosen !== undefined) return { found: true, ...chosen };
  const names = new Set([...Object.keys(module), ...Object.keys(inner)]);
  for (const internal of ['__esModule', 'module.exports']) names.delete(internal);
  return { found: false, names: [...names] };
}
