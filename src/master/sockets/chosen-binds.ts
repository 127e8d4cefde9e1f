/**
 * Chooses the addresses to listen on: every `bind`, else the sockets from a service manager, else `host` and `port`.
 * Without a `bind`, a certificate implies TLS, so that a server with one never serves plain text by mistake.
 */
import type { Options } from '../../shared/options/table.ts';
import { bindOfHostAndPort, formatBind, parseBind } from './bind-address.ts';
import type { GivenBind } from './listeners.ts';
import { systemdBinds } from './systemd-sockets.ts';

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
