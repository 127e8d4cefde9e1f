/** The file with the master's process id: written whole or not at all, removed only while it is still ours. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { EvyError } from '../shared/errors.ts';

/** @throws {EvyError} BAD_OPTION when the file cannot be written */
export function writePidfile(path: string, pid = process.pid): void {
  const temporary = `${path}.${pid}`;
  try {
    writeFileSync(temporary, `${pid}\n`);
    renameSync(temporary, path);
  } catch (cause) {
    throw new EvyError(
      'BAD_OPTION',
      `--pidfile ${path}: cannot be written (${(cause as NodeJS.ErrnoException).code})`,
      { cause },
    );
  }
}

export function removePidfile(path: string, pid = process.pid): void {
  try {
    if (readFileSync(path, 'utf8').trim() === String(pid)) rmSync(path);
  } catch {
    // Gone already, or no longer readable: nothing of ours is left behind.
  }
}
