/**
 * Synchronous file status (stat(2), lstat(2), fstat(2)); the only place of this package that asks for it.
 *
 * Always with bigint numbers. Node 20 keeps the plain numbers of the last synchronous status in one array, and realpathSync()
 * reads the file type of another file from that array: after the status of a pipe or a socket (standard error in a container) it
 * stops following symbolic links. The module loader uses realpathSync(), so packages that are links (pnpm, workspaces) would
 * not find their dependencies. The bigint numbers are kept in another array.
 */
import { fstatSync, lstatSync, statSync } from 'node:fs';
import type { BigIntStats } from 'node:fs';

/** Follows symbolic links; undefined when there is no such file. @throws what stat(2) fails with otherwise */
export function statusOf(path: string): BigIntStats | undefined {
  return statSync(path, { bigint: true, throwIfNoEntry: false });
}

/** Of a symbolic link itself; undefined when there is no such file. @throws what lstat(2) fails with otherwise */
export function linkStatusOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

/** @throws what fstat(2) fails with, EBADF above all */
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
