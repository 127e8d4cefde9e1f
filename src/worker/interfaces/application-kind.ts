/**
 * Detects the kind of application that an export is. Pure: it inspects the shape, and calls nothing but Koa's
 * `callback()`.
 *
 * A function of two parameters may be `(env, startResponse)` or `(req, res)`, which the names of its parameters tell.
 * If they do not, `(req, res)` is assumed, since it is the most common. The log reports that guess, and `--interface`
 * overrides it.
 */
import type { App, FetchApp, InterfaceName, NodeListener } from '../../shared/application.ts';
import { EvyError } from '../../shared/errors.ts';
import { parameterNames } from './parameter-names.ts';

export type LoadedApplication = (
  | { interface: 'wsgi'; app: App }
  | { interface: 'fetch'; app: FetchApp }
  | { interface: 'node'; app: NodeListener }
) & { isGuess?: true };

type Members = Readonly<Record<string, unknown>>;

function isClass(value: unknown): boolean {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

function isFunction(value: unknown): value is (...args: never[]) => unknown {
  return typeof value === 'function' && !isClass(value);
}

function members(value: unknown): Members {
  return (typeof value === 'object' && value !== null) || typeof value === 'function' ? (value as Members) : {};
}

function isKoa(value: unknown): boolean {
  return typeof value === 'object' && isFunction(members(value)['callback']) && isFunction(members(value)['use']);
}

export interface Detected {
  readonly interface: InterfaceName;
  /** whether the interface is only a guess */
  readonly isGuess: boolean;
}

const wsgiNames: ReadonlySet<string> = new Set(['env', 'environ', 'startresponse']);
const nodeNames: ReadonlySet<string> = new Set(['req', 'request', 'res', 'response']);

/** Detects a function's kind by its parameters; `length` counts when their names are unknown. */
function kindOfParameters(names: readonly string[] | undefined, length: number): Detected {
  const plain = (names ?? []).map((name) => name.replaceAll('_', '').toLowerCase());
  if (plain.some((name) => wsgiNames.has(name))) return { interface: 'wsgi', isGuess: false };
  const count = Math.max(names?.length ?? 0, length);
  if (count === 3) return { interface: 'node', isGuess: false };
  if (count === 2) return { interface: 'node', isGuess: !plain.some((name) => nodeNames.has(name)) };
  return { interface: 'wsgi', isGuess: true };
}

/** Returns the interface of an export, or undefined when it is not an application. */
export function detectInterface(value: unknown): Detected | undefined {
  const { fetch, handle, use, listen } = members(value);
  if (isClass(value)) return undefined;
  if (isFunction(fetch)) return { interface: 'fetch', isGuess: false };
  if (isKoa(value)) return { interface: 'node', isGuess: false };
  if (!isFunction(value)) return undefined;
  const likeExpress = isFunction(handle) && isFunction(use) && isFunction(listen);
  return likeExpress ? { interface: 'node', isGuess: false } : kindOfParameters(parameterNames(value), value.length);
}

/** Returns a hint when an application's failure suggests a wrong interface; undefined otherwise. */
export function interfaceHint(
  served: 'wsgi' | 'node',
  app: (...args: never[]) => unknown,
  error: Error,
): string | undefined {
  const [, object = '', member] = /^([\w$]+)(\.[\w$]+)? is not a function/.exec(error.message) ?? [];
  const second = parameterNames(app)?.[1];
  const isSecond = object !== '' && object === second;
  if (served === 'wsgi' && member !== undefined && (isSecond || /^res(ponse)?$/.test(object)))
    return 'the application looks like a listener (request, response), which --interface node serves';
  if (served === 'node' && object !== '' && member === undefined && (isSecond || /^start_?response$/i.test(object)))
    return 'the application looks like a function (env, startResponse), which --interface wsgi serves';
  return undefined;
}

/** Describes a value for a message. */
export function describeExport(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (isClass(value)) return 'a class (export an instance of it)';
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const names = Object.keys(value);
  return names.length === 0
    ? 'an empty object'
    : `an object with ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}`;
}

const takes: Readonly<Record<InterfaceName | 'auto', string>> = {
  wsgi: 'a function (env, startResponse)',
  fetch: 'an object with a function fetch(request), or that function',
  node: 'a function (request, response) or a Koa application',
  auto: 'a function (env, startResponse) or (request, response), an object with fetch(request), or an Express or Koa application',
};

/**
 * Returns the export as an application of the wanted interface.
 * @throws {EvyError} APP_NOT_CALLABLE
 */
export function asApplication(value: unknown, wanted: InterfaceName | 'auto', label: string): LoadedApplication {
  if (wanted === 'auto') {
    const detected = detectInterface(value);
    if (detected === undefined) throw notCallable(value, wanted, label);
    const application = asApplication(value, detected.interface, label);
    return detected.isGuess ? { ...application, isGuess: true } : application;
  }
  const kind = wanted;
  if (kind === 'wsgi' && isFunction(value)) return { interface: kind, app: value as App };
  if (kind === 'fetch' && isFunction(members(value)['fetch'])) return { interface: kind, app: value as FetchApp };
  if (kind === 'fetch' && isFunction(value)) return { interface: kind, app: { fetch: value as FetchApp['fetch'] } };
  if (kind === 'node' && isKoa(value))
    return { interface: kind, app: (value as { callback(): NodeListener }).callback() };
  if (kind === 'node' && isFunction(value)) return { interface: kind, app: value as NodeListener };
  throw notCallable(value, wanted, label);
}

function notCallable(value: unknown, wanted: InterfaceName | 'auto', label: string): EvyError {
  return new EvyError(
    'APP_NOT_CALLABLE',
    `${label} is ${describeExport(value)}; with --interface ${wanted} it must be ${takes[wanted]}`,
  );
}
