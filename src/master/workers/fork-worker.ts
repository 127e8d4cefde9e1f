/**
 * Forks one node:cluster worker and leaves cluster's process-wide settings as they were: two masters, or a master inside of
 * a program that uses node:cluster itself, must not see each other's.
 */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import type { Variables } from '../generations/env-file.ts';
import { systemdVariables } from '../sockets/systemd.ts';
import { inheritanceVariable } from '../sockets/inherited-sockets.ts';

/** Inherited descriptors begin here in the worker: after stdin, stdout, stderr and the channel. */
export const firstInheritedFd = 4;

export interface ForkPlan {
  /** the worker's main module */
  readonly entry: string;
  /** listening sockets, in the order of the binds */
  readonly fds: readonly number[];
  readonly directory: string;
  /** beside the environment of this process */
  readonly variables: Variables;
  /** whether it gets a line for its watchdog: the descriptor behind those */
  readonly watched: boolean;
}

/** The worker's main module beside this one: .js as built, .ts when run from source. */
export function defaultWorkerEntry(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`../../worker/entry.${extension}`, import.meta.url));
}

/** Node's own flags for a worker: all of this process (loaders, limits) but what makes Node run a string. */
export function workerExecArgv(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < execArgv.length; index += 1) {
    const flag = execArgv[index]!;
    if (/^(-e|--eval|-p|--print|-pe)$/.test(flag)) index += 1;
    else if (!/^(--eval=|--print=|--input-type|-i$|--interactive$|--watch|--test)/.test(flag)) kept.push(flag);
  }
  return kept;
}

// `settings` is a plain property that only setupPrimary is meant to write, so its type is readonly.
const mutable = cluster as unknown as { settings: typeof cluster.settings };

/** @throws what child_process.spawn throws at once; most failures come as an 'error' event and then 'close' */
export function forkWorker(plan: ForkPlan): Worker {
  const before = mutable.settings;
  mutable.settings = {};
  try {
    cluster.setupPrimary({
      exec: plan.entry,
      args: [],
      cwd: plan.directory,
      execArgv: workerExecArgv(process.execArgv),
      stdio: ['ignore', 1, 2, 'ipc', ...plan.fds, ...(plan.watched ? (['pipe'] as const) : [])],
    });
    const without = Object.fromEntries([...systemdVariables, inheritanceVariable].map((name) => [name, undefined]));
    return cluster.fork({ ...plan.variables, ...without });
  } finally {
    mutable.settings = before;
  }
}
