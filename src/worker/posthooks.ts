/**
 * Post hooks: `env['evy.posthooks']` holds [func, args, kwargs]; each is called as `func(env, ...args, kwargs)` once the
 * response has left or the client has. One that fails is logged; the others still run.
 */
import type { Environ, PostHook } from '../shared/application.ts';
import { toError } from '../shared/errors.ts';
import type { Logger } from '../shared/log.ts';
import type { NamedRequest } from './request-id.ts';

/** What is done with whatever a hook throws: it is logged, with its request. */
export function hookFailure(log: Logger, request: NamedRequest): (thrown: unknown) => void {
  return (thrown) => {
    const { stack, message } = toError(thrown);
    log.error('hook.failed', { ...request.logFields, error: message, stack });
  };
}

/** Runs the hooks from index `from` on, in order; returns the promises of those that are not done yet. */
export function runPostHooks(env: Environ, from: number, log: Logger, request: NamedRequest): Array<Promise<void>> {
  const pending: Array<Promise<void>> = [];
  const hooks = env['evy.posthooks'] as readonly PostHook[];
  const failed = hookFailure(log, request);
  // By index: a hook may push further ones.
  for (let index = from; index < hooks.length; index += 1) {
    try {
      const [func, args, kwargs] = hooks[index]!;
      const call = func as (env: Environ, ...rest: unknown[]) => unknown;
      const result = kwargs === undefined ? call(env, ...(args ?? [])) : call(env, ...(args ?? []), kwargs);
      if (isPromise(result)) pending.push(Promise.resolve(result).then(() => {}, failed));
    } catch (thrown) {
      failed(thrown);
    }
  }
  return pending;
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
