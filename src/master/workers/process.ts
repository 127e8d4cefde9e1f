/** Starts the process of one worker and owns its channel. It reports events and decides nothing. */
import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { toError } from '../../shared/errors.ts';
import { closeHandle, guardChannel, passedHandle } from '../../shared/node-private/node-private.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import { verdictOn } from '../../shared/protocol/internal-messages.ts';
import { fromWorker } from '../../shared/protocol/message-shapes.ts';
import { enclose, isMovingToMaster } from '../../shared/protocol/messages.ts';
import { mainThreadUse, nativeBlock } from '../../shared/native-block.ts';
import { entryFile } from '../../shared/own-files.ts';
import type { MasterToWorker, MovingToMaster, WorkerToMaster } from '../../shared/protocol/messages.ts';
import type { Variables } from '../generations/env-file.ts';
import { systemdVariables } from '../sockets/systemd-sockets.ts';
import { inheritedStateVariable } from '../sockets/inherited-state.ts';
import { WatchLine } from './watch-line.ts';
import type { Fault, WatchNews } from './watch-line.ts';

/** The first inherited descriptor in the worker: after stdin, stdout, stderr and the channel. */
export const firstInheritedFd = 4;

interface ForkPlan {
  /** the worker's main module */
  readonly entry: string;
  /** listening sockets, in the order of the binds */
  readonly fds: readonly number[];
  readonly directory: string;
  /** variables added to the environment of this process */
  readonly variables: Variables;
  /** whether it gets a pipe for its watchdog, as the descriptor after those */
  readonly watched: boolean;
}

/** The worker's main module in this folder's tree: .js as built, .ts when run from source. */
export function defaultWorkerEntry(): string {
  return entryFile('worker/entry');
}

/**
 * Node's own flags for a worker: those of this process (loaders, limits), except the ones that make Node run a string.
 */
export function workerExecArgv(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let index = 0; index < execArgv.length; index += 1) {
    const flag = execArgv[index]!;
    if (/^(-e|--eval|-p|--print|-pe)$/.test(flag)) index += 1;
    else if (!/^(--eval=|--print=|--input-type|-i$|--interactive$|--watch|--test)/.test(flag)) kept.push(flag);
  }
  return kept;
}

// `settings` is a plain property that only setupPrimary is meant to write, so its type is readonly.
const mutable = cluster as unknown as { settings: typeof cluster.settings };

/**
 * Forks one node:cluster worker and leaves cluster's process-wide settings unchanged, so that two masters, or a master
 * inside a program that uses node:cluster itself, do not affect each other.
 * @throws {Error} the immediate errors of child_process.spawn; most failures are reported as an 'error' event and then
 * 'close'
 */
function forkWorker(plan: ForkPlan): Worker {
  const before = mutable.settings;
  mutable.settings = {};
  try {
    cluster.setupPrimary({
      exec: plan.entry,
      args: [],
      cwd: plan.directory,
      execArgv: workerExecArgv(process.execArgv),
      stdio: ['ignore', 1, 2, 'ipc', ...plan.fds, ...(plan.watched ? (['pipe'] as const) : [])],
    });
    const without = Object.fromEntries([...systemdVariables, inheritedStateVariable].map((name) => [name, undefined]));
    return cluster.fork({ ...plan.variables, ...without });
  } finally {
    mutable.settings = before;
  }
}

export interface WorkerProcessPlan extends Omit<ForkPlan, 'watched'> {
  /** option stuckTimeout; 0 disables the watchdog */
  readonly stuckMs: number;
}

export interface WorkerEnd {
  /** null when a signal ended it, or when it could not be started */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** why it could not be started */
  readonly forkError?: string;
}

export type ProcessNews =
  | Exclude<WorkerToMaster, MovingToMaster>
  | WatchNews
  | Fault
  /** the channel is closed but the process still runs */
  | { type: 'lost' }
  | ({ type: 'exit' } & WorkerEnd);

/** Handles messages about moving connections immediately, since no decision of the master depends on them. */
export type OnMoving = (message: MovingToMaster, handle: PassedHandle | undefined) => void;

/**
 * A channel closes a moment before its process exits. After this time, the process is known to have closed the channel
 * itself.
 */
const lostAfterMs = 1_000;

export class WorkerProcess {
  readonly #report: (news: ProcessNews) => void;
  readonly #onMoving: OnMoving;
  readonly #worker: Worker | undefined;
  #forkError: string | undefined;
  #line: WatchLine | undefined;

  /** `report` is never called before the constructor returns. */
  constructor(plan: WorkerProcessPlan, report: (news: ProcessNews) => void, onMoving: OnMoving) {
    this.#report = report;
    this.#onMoving = onMoving;
    try {
      this.#worker = forkWorker({ ...plan, watched: plan.stuckMs > 0 });
    } catch (error) {
      this.#forkError = (error as Error).message;
      queueMicrotask(() => this.#reportExit(null, null));
      return;
    }
    this.#watch(this.#worker);
    // Node creates no streams for a process that could not be started.
    const streams = this.#worker.process.stdio as ReadonlyArray<unknown> | undefined;
    const line = streams?.[firstInheritedFd + plan.fds.length] as Readable | null | undefined;
    if (plan.stuckMs > 0 && line) this.#listen(line, plan.stuckMs);
  }

  get pid(): number | undefined {
    return this.#worker?.process.pid;
  }
  get connected(): boolean {
    return this.#worker?.process.connected === true;
  }

  /**
   * Sends a message, or tells `done` that it could not; messages to a worker that is about to exit may be lost. The
   * caller still closes the socket.
   */
  send(message: MasterToWorker, socket?: Socket | PassedHandle, done: (error: Error | null) => void = () => {}): void {
    if (!this.connected) {
      queueMicrotask(() => done(new Error('the channel is closed')));
      return;
    }
    // keepOpen: without it Node would close this process's copy only when the worker confirms, and never if it dies before that.
    try {
      this.#worker!.process.send(enclose(message), socket as Socket | undefined, { keepOpen: true }, done);
    } catch (error) {
      queueMicrotask(() => done(error as Error)); // a handle that this Node does not send
    }
  }

  /** Signals the worker to drain when no message can reach it. */
  terminate(): void {
    this.#worker?.process.kill('SIGTERM');
  }

  /** SIGKILL by the child's own handle: its pid cannot have been given to another process yet. */
  kill(): void {
    this.#worker?.process.kill('SIGKILL');
  }

  #watch(worker: Worker): void {
    const child = worker.process;
    // A process that could not be started has no channel.
    if (child.pid !== undefined) {
      guardChannel(child, {
        admit: (message) => this.#admit(child, message),
        onFault: (thrown) => {
          const { message, stack } = toError(thrown);
          this.#report({ type: 'fault', message, stack });
        },
      });
    }
    // An application may send messages of its own, which are ignored.
    child.on('message', (value: unknown, handle: unknown) => {
      const message = fromWorker(value);
      if (message?.type !== 'move') closeHandle(handle);
      if (message === undefined) return;
      if (isMovingToMaster(message)) this.#onMoving(message, passedHandle(handle));
      else this.#report(message);
      if (message.type === 'ready' || message.type === 'stats') this.#line?.noteLife();
    });
    // Failed sends are reported here too: the worker is about to exit then, which is reported separately.
    worker.on('error', (error: Error) => {
      if (child.pid === undefined) this.#forkError = error.message;
    });
    let lost: NodeJS.Timeout | undefined;
    child.once('disconnect', () => {
      lost = setTimeout(() => this.#report({ type: 'lost' }), lostAfterMs);
    });
    // 'close' rather than 'exit': only then has everything that the worker sent been read.
    child.once('close', (code: number | null, signal: NodeJS.Signals | null) => {
      clearTimeout(lost);
      this.#reportExit(child.pid === undefined ? null : code, signal);
    });
  }

  #admit(child: Worker['process'], message: unknown): boolean {
    const verdict = verdictOn(message);
    if (verdict === undefined) return true;
    if ('fault' in verdict) throw new Error(verdict.fault);
    // The same answer as that of node:cluster when a socket cannot be opened.
    const { seq: ack, data } = verdict;
    const refusal = { cmd: 'NODE_CLUSTER', ack, errno: -constants.errno.EBADF, key: '', data };
    child.send(refusal, () => {});
    return false;
  }

  /** 'close' also waits for the end of the pipe, which a process that has inherited the pipe must not delay. */
  #listen(line: Readable, stuckMs: number): void {
    const pid = this.pid!;
    const mainThread = { use: () => mainThreadUse(pid), block: () => nativeBlock(pid) };
    const watch = new WatchLine(line, stuckMs, (news) => this.#report(news), mainThread);
    this.#line = watch;
    // This runs before node:cluster's own listener, which may throw after an invalid message of the worker.
    this.#worker!.process.prependOnceListener('exit', () => watch.finish());
  }

  #reportExit(code: number | null, signal: NodeJS.Signals | null): void {
    const forkError = this.#forkError;
    this.#report({ type: 'exit', code, signal, ...(forkError === undefined ? {} : { forkError }) });
  }
}
