/**
 * The next master: the process that takes this master's place in an upgrade. It is started from the command line of this
 * process, on this master's listening sockets. To this master it is like a worker that connections move to: it reports what
 * happens there and decides nothing.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { Socket } from 'node:net';
import { delimiter, join, resolve, sep } from 'node:path';
import { EvyError } from '../../shared/errors.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import { statusOf } from '../../shared/file-status.ts';
import type { Logger } from '../../shared/log/log.ts';
import { passedHandle } from '../../shared/node-private/node-private.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { MasterToWorker, MovingToMaster } from '../../shared/protocol/messages.ts';
import type { Moves } from '../migration/moves.ts';
import type { Party, Target } from '../migration/targets.ts';
import { tellMainPid } from '../pidfile.ts';
import { formatInheritedState, inheritedStateVariable } from '../sockets/inherited-state.ts';
import type { CrewSize } from '../sockets/inherited-state.ts';
import type { Listener } from '../sockets/listeners.ts';
import { encloseForMaster, fromNextMaster } from './upgrade-messages.ts';
import type { ToNextMaster } from './upgrade-messages.ts';

export interface CommandToRun {
  /** the program */
  readonly file: string;
  /** the name that it is started under, so that the next upgrade finds it in the same way */
  readonly argv0: string;
  readonly args: readonly string[];
  readonly cwd: string;
}

/** How a process was started. */
export interface Started {
  readonly argv0: string;
  readonly execPath: string;
  readonly execArgv: readonly string[];
  /** the program of Node, its script and the arguments of the script */
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

/**
 * The command line that starts this process again, with the same words resolved again: `node` is looked up in PATH as a
 * shell would, and a path through a symbolic link leads to the link's present target, evy's own path included. `folder`
 * is the working directory as the shell knows it, symbolic links kept.
 */
export function ownCommand(started: Started, folder: string, exists = isProgram): CommandToRun {
  const { argv0, argv, execArgv } = started;
  const [program = '', ...words] = argv.slice(1);
  const real = started.cwd();
  // Node resolves its program against the real directory: back to the link, which may lead elsewhere by now.
  const own = program.startsWith(real + sep) ? join(folder, program.slice(real.length)) : program;
  const file = findProgram(started, folder, exists);
  return { file, argv0: file === started.execPath ? file : argv0, args: [...execArgv, own, ...words], cwd: folder };
}

export type NextMasterNews =
  | { type: 'ready'; keys: readonly string[]; moving: boolean }
  | { type: 'failed'; code: ErrorCode; message: string }
  | { type: 'leaving' }
  /** the process has ended, or could not be started */
  | { type: 'gone'; how: string }
  /** it took too long to be ready */
  | { type: 'deadline' };

export interface NextMasterPlan {
  readonly command: CommandToRun;
  /** listening sockets, in the order of `inherited` */
  readonly fds: readonly number[];
  /** the variable that describes those sockets */
  readonly inherited: string;
  readonly env: NodeJS.ProcessEnv;
}

export class NextMaster implements Target {
  /** Its end is reported as news. */
  readonly connected = true;
  /** Newer than any generation of workers here, so that all that moves goes there. */
  readonly generation = { number: Infinity };
  readonly connections = 0;
  readonly #child: ChildProcess;
  #killTimer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  /** @throws {Error} the immediate errors of child_process.spawn; most failures are reported as news */
  constructor(
    { command, fds, inherited, env }: NextMasterPlan,
    report: (news: NextMasterNews) => void,
    onMoving: (party: Party, message: MovingToMaster, handle: PassedHandle | undefined) => void,
  ) {
    const { file, argv0, args, cwd } = command;
    this.#child = spawn(file, args, {
      argv0,
      cwd,
      env: { ...env, [inheritedStateVariable]: inherited },
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...fds],
    });
    this.#child.on('message', (value: unknown, handle: unknown) => {
      const message = fromNextMaster(value);
      if (message === undefined) return; // not a message between masters
      switch (message.type) {
        case 'adopted':
        case 'refused':
        case 'synced':
          onMoving(this, message, passedHandle(handle));
          break;
        default:
          report(message);
      }
    });
    const reportEnd = (how: string) => {
      clearTimeout(this.#killTimer);
      if (!this.#hasEnded) report({ type: 'gone', how });
      this.#hasEnded = true;
    };
    this.#child.on('error', (error: NodeJS.ErrnoException) => {
      if (this.pid === undefined) reportEnd(`${file} could not be started (${error.code ?? error.message})`);
    });
    this.#child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      reportEnd(signal === null ? `exit code ${code}` : `signal ${signal}`);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  noteConnection(): void {
    // The number of connections is only compared within a generation, and this target is the only one of its own.
  }

  /** Passes on what the relay tells a target: an offer, or a question. */
  send(message: MasterToWorker, handle?: PassedHandle, done: (error: Error | null) => void = () => {}): void {
    if (message.type === 'adopt' || message.type === 'sync') this.tell(message, handle, done);
  }

  tell(message: ToNextMaster, handle?: PassedHandle, done: (error: Error | null) => void = () => {}): void {
    if (!this.#child.connected) {
      queueMicrotask(() => done(new Error('the channel is closed')));
      return;
    }
    try {
      this.#child.send(encloseForMaster(message), handle as Socket | undefined, { keepOpen: true }, done);
    } catch (error) {
      queueMicrotask(() => done(error as Error)); // a handle that this Node does not send
    }
  }

  /** Ends it; it may finish what it has accepted, within the grace time. */
  end(signal: 'SIGTERM' | 'SIGQUIT', graceMs: number): void {
    if (this.#hasEnded) return;
    this.#child.kill(signal);
    this.#killTimer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs).unref();
  }
}

export interface NextMasterParts {
  readonly listeners: readonly Listener[];
  /** its working directory */
  readonly directory: string;
  readonly logger: Logger;
  readonly moves: Pick<Moves, 'onMessage'>;
  readonly size: CrewSize;
}

/**
 * Starts the next master. It is reported ready only once the service manager knows it: this process may end right after that.
 * @throws {EvyError} NOT_SUPPORTED where this master's sockets cannot be inherited
 */
export function startNextMaster(
  { listeners, directory, logger, moves, size }: NextMasterParts,
  report: (nextMaster: NextMaster, news: NextMasterNews) => void,
): NextMaster {
  const fds = listeners.flatMap(({ fd }) => (fd === undefined ? [] : [fd]));
  if (fds.length < listeners.length)
    throw new EvyError(
      'NOT_SUPPORTED',
      'sockets cannot be inherited on this Node (see master.fallback in the log); restart instead',
    );
  const inherited = formatInheritedState(
    listeners.map(({ key, address }) => ({ key, name: address.name })),
    process.pid,
    size,
  );
  const command = ownCommand(process, directory);
  const reportReady = async (news: NextMasterNews): Promise<void> => {
    const fault = await tellMainPid(nextMaster.pid!);
    if (fault !== undefined)
      logger.warn('master.fallback', {
        message: 'the service manager was not notified of the new master',
        reason: fault,
      });
    report(nextMaster, news);
  };
  const nextMaster: NextMaster = new NextMaster(
    { command, fds, inherited, env: process.env },
    (news) => {
      if (news.type === 'ready') void reportReady(news);
      else report(nextMaster, news);
    },
    moves.onMessage,
  );
  return nextMaster;
}
