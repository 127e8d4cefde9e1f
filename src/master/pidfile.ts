/**
 * What names the master's process: the pid file, and the main pid that a service manager knows. The file is written whole or
 * not at all, and removed only while it names this process.
 */
import { execFile } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { EvyError, toError } from '../shared/errors.ts';
import type { Logger } from '../shared/log/log.ts';

/** The process that the file names, if it lives and is not ours. */
function livingOwner(path: string, pid: number): number | undefined {
  try {
    const owner = Number(readFileSync(path, 'utf8').trim());
    if (!Number.isInteger(owner) || owner <= 0 || owner === pid) return undefined;
    process.kill(owner, 0);
    return owner;
  } catch (error) {
    // Nobody may be there, or somebody whom we may not signal.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? Number(readFileSync(path, 'utf8').trim()) : undefined;
  }
}

/**
 * `from` is the pid of another master that the file may name: the previous one, or a next one that has failed.
 * @throws {EvyError} BAD_OPTION when the file cannot be written, or belongs to a process that lives
 */
export function writePidfile(path: string, pid = process.pid, from?: number): void {
  const owner = livingOwner(path, pid);
  if (owner !== undefined && owner !== from) {
    throw new EvyError(
      'BAD_OPTION',
      `--pidfile ${path}: the file names process ${owner}, which is running; remove the file if that process is not evy`,
    );
  }
  const temporary = `${path}.${pid}`;
  try {
    writeFileSync(temporary, `${pid}\n`);
    renameSync(temporary, path);
  } catch (cause) {
    // On a full disk the file is there, and empty.
    removeQuietly(temporary);
    throw new EvyError(
      'BAD_OPTION',
      `--pidfile ${path}: the file cannot be written (${(cause as NodeJS.ErrnoException).code})`,
      { cause },
    );
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The file was never written.
  }
}

export function removePidfile(path: string, pid = process.pid): void {
  try {
    if (readFileSync(path, 'utf8').trim() === String(pid)) rmSync(path);
  } catch {
    // Gone already, or no longer readable: nothing of ours is left behind.
  }
}

const notifyTimeoutMs = 5_000;

/**
 * Tells a service manager which process is the main one now (sd_notify(3), MAINPID=). Node has no datagram sockets of the unix
 * family, so systemd's own tool sends it. The process that is the main one until then must run it: with NotifyAccess=main
 * systemd believes no other. Resolves when it is told, or with the reason why it was not; does nothing without a service manager.
 */
export function tellMainPid(
  pid: number,
  env: Readonly<Record<string, string | undefined>> = process.env,
  program = 'systemd-notify',
): Promise<string | undefined> {
  if ((env['NOTIFY_SOCKET'] ?? '') === '') return Promise.resolve(undefined);
  return new Promise((resolve) => {
    execFile(program, [`MAINPID=${pid}`], { timeout: notifyTimeoutMs }, (error) => {
      resolve(error === null ? undefined : `${program}: ${error.message.trim().split('\n')[0]}`);
    });
  });
}

/** Says that this process is the master again, after the next master has said so of itself. A failure is only logged. */
export function reclaimPlace(pidfile: string, from: number | undefined, logger: Logger): void {
  const warn = (reason: string) =>
    logger.warn('master.fallback', {
      message: 'the pid file or the service manager may still name another master',
      reason,
    });
  try {
    if (pidfile !== '') writePidfile(pidfile, process.pid, from);
  } catch (thrown) {
    warn(toError(thrown).message);
  }
  void tellMainPid(process.pid).then((fault) => {
    if (fault !== undefined) warn(fault);
  });
}
