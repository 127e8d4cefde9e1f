/** Functions for `(req, res)` applications: what WSGI applications find in their environment. */
import type { ServerResponse } from 'node:http';
import type { PostHookFunction } from '../../shared/application.ts';
import type { NodeHooks } from './node-hooks.ts';

export const hooksOf = new WeakMap<ServerResponse, NodeHooks>();

/**
 * Calls `func(env, ...args, kwargs)` once the response has been sent or the client has disconnected. For `(req, res)`
 * applications; the counterpart of `env['evy.posthooks']`.
 */
export function postHook(
  response: ServerResponse,
  func: PostHookFunction,
  args: readonly unknown[] = [],
  kwargs?: object,
): void {
  const hooks = hooksOf.get(response);
  if (hooks === undefined)
    throw new TypeError('the first argument of postHook() must be the response of a request that evy is serving');
  hooks.add(kwargs === undefined ? [func, args] : [func, args, kwargs]);
}

/**
 * Returns a signal that is aborted when the client disconnects or the request's deadline (option requestTimeout)
 * passes. For `(req, res)` applications; the counterpart of `env['evy.signal']`.
 */
export function requestSignal(response: ServerResponse): AbortSignal {
  const hooks = hooksOf.get(response);
  if (hooks === undefined)
    throw new TypeError('the argument of requestSignal() must be the response of a request that evy is serving');
  return hooks.signal;
}
