/**
 * Socket activation: the sockets that a service manager has opened are the descriptors from 3 on (sd_listen_fds(3)).
 * LISTEN_PID must name this process: its children inherit the variables, and in them descriptor 3 is something else
 * (in Node, libuv's own epoll descriptor).
 */
import { EvyError } from '../../shared/errors.ts';
import type { Bind } from './bind-address.ts';

const firstFd = 3; // SD_LISTEN_FDS_START

/** Variables that are removed from the environment of workers, since they are addressed to the master. */
export const systemdVariables = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'] as const;

export interface Activation {
  readonly binds: Bind[];
  /** why the variables are there but not used */
  readonly ignored?: string;
}

/** `pid` is the process that the variables must be addressed to. @throws {EvyError} BAD_BIND */
export function systemdBinds(env: Readonly<Record<string, string | undefined>>, pid: number, tls: boolean): Activation {
  const { LISTEN_FDS: count, LISTEN_PID: owner } = env;
  if (count === undefined || owner === undefined) return { binds: [] };
  if (owner !== String(pid))
    return { binds: [], ignored: `LISTEN_PID names process ${owner}, and this is process ${pid}` };
  if (!/^\d{1,4}$/.test(count))
    throw new EvyError('BAD_BIND', `LISTEN_FDS must be a number of sockets (got '${count}')`);
  return { binds: Array.from({ length: Number(count) }, (_, index) => ({ kind: 'fd', fd: firstFd + index, tls })) };
}
