/**
 * The command line of this process, to be run again: the same words, looked up anew. `node` is found in PATH as a shell would, a
 * path through a link leads to where the link points now, and so does evy's own.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve, sep } from 'node:path';
import { statusOf } from '../../shared/file-status.ts';

export interface CommandToRun {
  /** the program */
  readonly file: string;
  /** what it is to be called, so that it is found in the same way the next time */
  readonly argv0: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** What of a process tells how it was started. */
export interface Started {
  readonly argv0: string;
  readonly execPath: string;
  readonly execArgv: readonly string[];
  /** the program of Node, and its words */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: () => string;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statusOf(path)?.isFile() === true;
  } catch {
    return false;
  }
}

function findProgram({ argv0, execPath, env }: Started, folder: string, exists: (path: string) => boolean): string {
  const candidates = argv0.includes(sep)
    ? [resolve(folder, argv0)]
    : (env['PATH'] ?? '').split(delimiter).map((one) => join(one === '' ? folder : resolve(folder, one), argv0));
  return candidates.find(exists) ?? execPath;
}

/** `folder`: the working directory as the shell has it, links kept. */
export function ownCommand(started: Started, folder: string, exists = isProgram): CommandToRun {
  const { argv0, argv, execArgv } = started;
  const [program = '', ...words] = argv.slice(1);
  const real = started.cwd();
  // Node resolves its program against the real directory: back to the link, which may lead elsewhere by now.
  const own = program.startsWith(real + sep) ? join(folder, program.slice(real.length)) : program;
  const file = findProgram(started, folder, exists);
  return { file, argv0: file === started.execPath ? file : argv0, args: [...execArgv, own, ...words], cwd: folder };
}
