/**
 * Socket activation: sockets that a service manager has opened, as descriptors from 3 on (sd_listen_fds(3)).
 *
 * LISTEN_PID must be ours: the variables are inherited by every child of the process they are meant for, and there
 * descriptor 3 is something else altogether (in Node, libuv's own epoll descriptor).
 */
import { EvyError } from '../../shared/errors.ts';
import type { Bind } from './bind-address.ts';

const firstFd = 3; // SD_LISTEN_FDS_START

/** Never handed on to workers: they are not the ones meant. */
export const systemdVariables = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'] as const;

export interface Activation {
  readonly binds: Bind[];
  /** why the variables are there but not used */
  readonly ignored?: string;
}

export function systemdBinds(env: Readonly<Record<string, string | undefined>>, pid: number, tls: boolean): Activation {
  const { LISTEN_FDS: count, LISTEN_PID: owner } = env;
  if (count === undefined || owner === undefined) return { binds: [] };
  if (owner !== String(pid)) return { binds: [], ignored: `LISTEN_PID is ${owner}, not this process (${pid})` };
  if (!/^\d{1,4}$/.test(count)) throw new EvyError('BAD_BIND', `LISTEN_FDS=${count}: is not a number of sockets`);
  return { binds: Array.from({ length: Number(count) }, (_, index) => ({ kind: 'fd', fd: firstFd + index, tls })) };
}
