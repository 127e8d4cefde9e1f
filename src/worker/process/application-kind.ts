/**
 * What kind of application an export is. Pure: looks at the shape, calls nothing but Koa's `callback()`.
 *
 * A function of two parameters may be `(env, startResponse)` or `(req, res)`: nothing tells them apart before the first
 * request, so a bare function is wsgi, which is what evy is for, and `--interface node` says otherwise.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { App, FetchApp, InterfaceName } from '../../shared/application.ts';
import { EvyError } from '../../shared/errors.ts';

export type NodeListener = (request: IncomingMessage, response: ServerResponse) => unknown;

export type LoadedApplication =
  | { interface: 'wsgi'; app: App }
  | { interface: 'fetch'; app: FetchApp }
  | { interface: 'node'; app: NodeListener };

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

/** The interface that an export has, or undefined when it is no application. */
export function detectInterface(value: unknown): InterfaceName | undefined {
  const { fetch, handle, use, listen } = members(value);
  if (isClass(value)) return undefined;
  if (isFunction(fetch)) return 'fetch';
  if (isKoa(value)) return 'node';
  if (!isFunction(value)) return undefined;
  const likeExpress = isFunction(handle) && isFunction(use) && isFunction(listen);
  return likeExpress || value.length === 3 ? 'node' : 'wsgi';
}

/** What a value is, for a message. */
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
  auto: 'a function (env, startResponse), an object with fetch(request), or an Express or Koa application',
};

/**
 * The export as an application of the wanted interface.
 * @throws {EvyError} APP_NOT_CALLABLE
 */
export function asApplication(value: unknown, wanted: InterfaceName | 'auto', label: string): LoadedApplication {
  const kind = wanted === 'auto' ? detectInterface(value) : wanted;
  if (kind === 'wsgi' && isFunction(value)) return { interface: kind, app: value as App };
  if (kind === 'fetch' && isFunction(members(value)['fetch'])) return { interface: kind, app: value as FetchApp };
  if (kind === 'fetch' && isFunction(value)) return { interface: kind, app: { fetch: value as FetchApp['fetch'] } };
  if (kind === 'node' && isKoa(value))
    return { interface: kind, app: (value as { callback(): NodeListener }).callback() };
  if (kind === 'node' && isFunction(value)) return { interface: kind, app: value as NodeListener };
  throw new EvyError(
    'APP_NOT_CALLABLE',
    `${label} is ${describeExport(value)}; --interface ${wanted} takes ${takes[wanted]}`,
  );
}
