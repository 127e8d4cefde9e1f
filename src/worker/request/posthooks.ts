/**
 * Post hooks: `env['evy.posthooks']` holds [func, args, kwargs]; each is called as `func(env, ...args, kwargs)` once
 * the response was sent or the client has disconnected. Failures are logged, and the other hooks still run.
 */
import type { Environ, PostHook } from '../../shared/application.ts';
import { toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { NamedRequest } from './request-id.ts';

/** Logs the exception of a hook, with its request. */
export function hookFailure(log: Logger, request: NamedRequest): (thrown: unknown) => void {
  return (thrown) => {
    const { stack, message } = toError(thrown);
    log.error('hook.failed', { ...request.logFields, error: message, stack });
  };
}

/** Runs the hooks from index `from` on, in order. Returns the promises of those that are not done. */
export function runPostHooks(
  env: Environ,
  from: number,
  log: Logger,
  request: NamedRequest,
): ReadonlyArray<Promise<void>> {
  let pending: Array<Promise<void>> | undefined;
  const hooks = env['evy.posthooks'] as readonly PostHook[];
  // A loop over indexes, since a hook may add further ones.
  for (let index = from; index < hooks.length; index += 1) {
    try {
      const result = callHook(env, hooks[index]!);
      if (isPromise(result)) (pending ??= []).push(Promise.resolve(result).then(() => {}, hookFailure(log, request)));
    } catch (thrown) {
      hookFailure(log, request)(thrown);
    }
  }
  return pending ?? none;
}

const none: readonly never[] = [];

function callHook(env: Environ, hook: PostHook): unknown {
  const func = hook[0] as (env: Environ, ...rest: unknown[]) => unknown;
  const args = hook[1];
  const kwargs = hook[2];
  if (args === undefined || args.length === 0) return kwargs === undefined ? func(env) : func(env, kwargs);
  return kwargs === undefined ? func(env, ...args) : func(env, ...args, kwargs);
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
