/**
 * Records which process is the master: in the pid file, and as the main pid of a service manager. The file is replaced
 * atomically, and removed only while it names this process.
 */
import { execFile } from 'node:child_process';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { EvyError, toError } from '../shared/errors.ts';
import type { Logger } from '../shared/log/log.ts';

/** Returns the pid in the file, if that process lives and is another one. */
function livingOwner(path: string, pid: number): number | undefined {
  try {
    const owner = Number(readFileSync(path, 'utf8').trim());
    if (!Number.isInteger(owner) || owner <= 0 || owner === pid) return undefined;
    process.kill(owner, 0);
    return owner;
  } catch (error) {
    // EPERM: the process exists, but belongs to another user.
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? Number(readFileSync(path, 'utf8').trim()) : undefined;
  }
}

/**
 * `from` is the pid of another master that the file may name: the previous one, or a next one that has failed.
 * @throws {EvyError} BAD_OPTION when the file cannot be written, or names another living process
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
    // When the disk is full, an empty file remains.
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
    // The file was never created.
  }
}

export function removePidfile(path: string, pid = process.pid): void {
  try {
    if (readFileSync(path, 'utf8').trim() === String(pid)) rmSync(path);
  } catch {
    // It is gone already, or not accessible any more.
  }
}

const notifyTimeoutMs = 5_000;

/**
 * Tells a service manager which process is the main one (sd_notify(3), MAINPID=). Node has no unix datagram sockets, so
 * systemd's own tool sends the message. The current main process must run that tool: with NotifyAccess=main systemd
 * ignores any other. Resolves with undefined, or with the reason for a failure; does nothing without a service manager.
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

/** Records this process as the master again, after the next master has recorded itself. A failure is only logged. */
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
