/** The file with the master's process id: written whole or not at all, removed only while it is still ours. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { EvyError } from '../shared/errors.ts';

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
 * `from` is a process whose place this one takes, or takes back.
 * @throws {EvyError} BAD_OPTION when the file cannot be written, or belongs to a process that lives
 */
export function writePidfile(path: string, pid = process.pid, from?: number): void {
  const owner = livingOwner(path, pid);
  if (owner !== undefined && owner !== from) {
    throw new EvyError('BAD_OPTION', `--pidfile ${path}: process ${owner} is running; remove the file if it is no evy`);
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
      `--pidfile ${path}: cannot be written (${(cause as NodeJS.ErrnoException).code})`,
      { cause },
    );
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // It was no file of ours.
  }
}

export function removePidfile(path: string, pid = process.pid): void {
  try {
    if (readFileSync(path, 'utf8').trim() === String(pid)) rmSync(path);
  } catch {
    // Gone already, or no longer readable: nothing of ours is left behind.
  }
}
