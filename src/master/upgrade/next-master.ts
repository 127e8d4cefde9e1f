/**
 * The process of a new master, as the one before it sees it: a place that connections go to. It reports what happens
 * there and decides nothing.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../../shared/errors.ts';
import type { MasterToWorker, MovingToMaster } from '../../shared/protocol/messages.ts';
import { passedHandle } from '../../shared/node-private/node-private.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { Party, Target } from '../migration/targets.ts';
import { inheritanceVariable } from '../sockets/inherited-sockets.ts';
import { encloseForMaster, fromSuccessor } from './upgrade-messages.ts';
import type { ToSuccessor } from './upgrade-messages.ts';
import type { CommandToRun } from './own-command.ts';

export type SuccessorNews =
  | { type: 'ready'; keys: readonly string[]; moving: boolean }
  | { type: 'failed'; code: ErrorCode; message: string }
  | { type: 'leaving' }
  /** the process has ended, or never was */
  | { type: 'gone'; how: string }
  /** it took too long to be ready */
  | { type: 'deadline' };

export interface SuccessorPlan {
  readonly command: CommandToRun;
  /** listening sockets, in the order of `legacy` */
  readonly fds: readonly number[];
  readonly legacy: string;
  readonly env: NodeJS.ProcessEnv;
}

export class Successor implements Target {
  /** Its end is news of its own. */
  readonly connected = true;
  /** newer than any generation of workers here: whatever moves goes there */
  readonly generation = { number: Infinity };
  readonly connections = 0;
  readonly #child: ChildProcess;
  #killTimer: NodeJS.Timeout | undefined;
  #hasEnded = false;

  /** @throws what child_process.spawn throws at once; most failures come as news */
  constructor(
    { command, fds, legacy, env }: SuccessorPlan,
    report: (news: SuccessorNews) => void,
    onMoving: (party: Party, message: MovingToMaster, handle: PassedHandle | undefined) => void,
  ) {
    const { file, argv0, args, cwd } = command;
    this.#child = spawn(file, args, {
      argv0,
      cwd,
      env: { ...env, [inheritanceVariable]: legacy },
      stdio: ['inherit', 'inherit', 'inherit', 'ipc', ...fds],
    });
    this.#child.on('message', (value: unknown, handle: unknown) => {
      const message = fromSuccessor(value);
      if (message === undefined) return; // none of ours
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
    const gone = (how: string) => {
      clearTimeout(this.#killTimer);
      if (!this.#hasEnded) report({ type: 'gone', how });
      this.#hasEnded = true;
    };
    this.#child.on('error', (error: NodeJS.ErrnoException) => {
      if (this.pid === undefined) gone(`${file} could not be started (${error.code ?? error.message})`);
    });
    this.#child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      gone(signal === null ? `exit code ${code}` : `signal ${signal}`);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  noteConnection(): void {
    // It is the only one of its generation: nothing is compared.
  }

  /** What the relay tells a target: an offer, or a question. */
  send(message: MasterToWorker, handle?: PassedHandle, done: (error: Error | null) => void = () => {}): void {
    if (message.type === 'adopt' || message.type === 'sync') this.tell(message, handle, done);
  }

  tell(message: ToSuccessor, handle?: PassedHandle, done: (error: Error | null) => void = () => {}): void {
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

  /** Ends it: what it has accepted already it may finish within the grace time. */
  undo(signal: 'SIGTERM' | 'SIGQUIT', graceMs: number): void {
    if (this.#hasEnded) return;
    this.#child.kill(signal);
    this.#killTimer = setTimeout(() => this.#child.kill('SIGKILL'), graceMs).unref();
  }
}
