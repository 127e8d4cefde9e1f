/**
 * Synchronous file status (stat(2), lstat(2), fstat(2)); no other module calls these.
 *
 * The numbers are always bigint. Node 20 keeps the plain numbers of the last synchronous status in one array, and
 * realpathSync() reads the file type of another file from that array: after the status of a pipe or a socket (standard
 * error in a container) it stops following symbolic links. The module loader uses realpathSync(), so packages that are
 * links (pnpm, workspaces) would not find their dependencies. Bigint numbers are kept in another array.
 */
import { fstatSync, lstatSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';

/** Follows symbolic links. Returns undefined when the file does not exist. @throws the error of stat(2) otherwise */
export function statusOf(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}

/** The status of a symbolic link itself; undefined when it does not exist. @throws the error of lstat(2) otherwise */
export function linkStatusOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** @throws the error of fstat(2), usually EBADF */
export function descriptorStatusOf(fd: number): BigIntStats {
  return fstatSync(fd, { bigint: true });
}

export function isSocketDescriptor(fd: number): boolean {
  try {
    return descriptorStatusOf(fd).isSocket();
  } catch {
    return false;
  }
}
