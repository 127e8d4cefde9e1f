/**
 * Chooses the addresses to listen on: every `bind`, else the sockets from a service manager, else `host` and `port`.
 * Without a `bind`, a certificate implies TLS, so that a server with one never serves plain text by mistake.
 */
import { EvyError } from '../../shared/errors.ts';
import type { Options } from '../../shared/options/table.ts';
import { bindOfHostAndPort, formatBind, parseBind } from './bind-address.ts';
import type { Bind } from './bind-address.ts';
import type { GivenBind } from './listeners.ts';

const firstFd = 3; // SD_LISTEN_FDS_START

/** Variables that are removed from the environment of workers, since they are addressed to the master. */
export const systemdVariables = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES'] as const;

export interface Activation {
  readonly binds: Bind[];
  /** why the variables are there but not used */
  readonly ignored?: string;
}

/**
 * Socket activation: the sockets that a service manager has opened are the descriptors from 3 on (sd_listen_fds(3)).
 *
 * LISTEN_PID must be `pid`: every child of the process that the variables are meant for inherits them, and there
 * descriptor 3 is something else (in Node, libuv's own epoll descriptor).
 */
export function systemdBinds(env: Readonly<Record<string, string | undefined>>, pid: number, tls: boolean): Activation {
  const { LISTEN_FDS: count, LISTEN_PID: owner } = env;
  if (count === undefined || owner === undefined) return { binds: [] };
  if (owner !== String(pid))
    return { binds: [], ignored: `LISTEN_PID names process ${owner}, and this is process ${pid}` };
  if (!/^\d{1,4}$/.test(count))
    throw new EvyError('BAD_BIND', `LISTEN_FDS must be a number of sockets (got '${count}')`);
  return { binds: Array.from({ length: Number(count) }, (_, index) => ({ kind: 'fd', fd: firstFd + index, tls })) };
}

export interface ChosenBinds {
  readonly binds: GivenBind[];
  /** why LISTEN_FDS is set but not used */
  readonly ignored?: string;
}

export function chooseBinds(
  options: Pick<Options, 'bind' | 'host' | 'port' | 'certfile'>,
  env: Readonly<Record<string, string | undefined>>,
  /** the pid that LISTEN_FDS must be addressed to */
  pid: number,
): ChosenBinds {
  if (options.bind.length > 0) {
    return { binds: options.bind.map((text) => ({ bind: parseBind(text, options.host), given: `--bind ${text}` })) };
  }
  const tls = options.certfile !== '';
  const { binds, ignored } = systemdBinds(env, pid, tls);
  if (binds.length > 0) return { binds: binds.map((bind) => ({ bind, given: `LISTEN_FDS (${formatBind(bind)})` })) };
  const { host, port } = options;
  const chosen = [{ bind: bindOfHostAndPort(host, port, tls), given: `--host ${host} --port ${port}` }];
  return ignored === undefined ? { binds: chosen } : { binds: chosen, ignored };
}
