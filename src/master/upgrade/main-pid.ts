/**
 * Tells a service manager which process is the main one now (sd_notify(3), MAINPID=). Node has no datagram sockets of the unix
 * family, so systemd's own tool does it. It must be run by the process that is the main one until then: with
 * NotifyAccess=main nobody else is believed.
 */
import { execFile } from 'node:child_process';
import { toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import { writePidfile } from '../pidfile.ts';

const withinMs = 5_000;

/** Resolves when it is told, with why it was not if so. Does nothing without a service manager. */
export function tellMainPid(
  pid: number,
  env: Readonly<Record<string, string | undefined>> = process.env,
  program = 'systemd-notify',
): Promise<string | undefined> {
  if ((env['NOTIFY_SOCKET'] ?? '') === '') return Promise.resolve(undefined);
  return new Promise((resolve) => {
    execFile(program, [`MAINPID=${pid}`], { timeout: withinMs }, (error) => {
      resolve(error === null ? undefined : `${program}: ${error.message.trim().split('\n')[0]}`);
    });
  });
}

/** This process is the master (again), after another one has said so of itself. What cannot be told is only logged. */
export function reclaimPlace(pidfile: string, from: number | undefined, logger: Logger): void {
  const warn = (reason: string) =>
    logger.warn('master.fallback', { message: 'not all that names the master names this one', reason });
  try {
    if (pidfile !== '') writePidfile(pidfile, process.pid, from);
  } catch (thrown) {
    warn(toError(thrown).message);
  }
  void tellMainPid(process.pid).then((fault) => {
    if (fault !== undefined) warn(fault);
  });
}
