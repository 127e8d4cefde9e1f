/**
 * The bench's processes: a server or a load generator answers each question of its parent with one message. This file
 * has both sides, so that a question and its answer are typed in one place.
 */
import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';

const answerWithinMs = 60_000;

/** For each kind of question: what is asked and what is answered. */
export type Protocol<P> = { [K in keyof P]: { question: unknown; answer: unknown } };

/** What a server process can be asked. */
export interface ServerProtocol {
  port: { question: undefined; answer: number };
}

export interface LoadTask {
  port: number;
  request: string;
  connections: number;
  /** requests that a connection sends at once; 1 for no pipelining */
  pipeline: number;
  /** a connection for each request */
  fresh: boolean;
}

export interface PacedTask extends LoadTask {
  requestsPerSecond: number;
  seconds: number;
}

export interface SlowTask {
  port: number;
  request: string;
  connections: number;
}

/** What came of asking for a while: whole responses, and the time until the last of them. */
export interface Slice {
  responses: number;
  ms: number;
}

/** What a load generator can be asked. */
export interface LoadProtocol {
  /** Makes ready for `run`. */
  open: { question: LoadTask; answer: undefined };
  /** Asks the server of that port as fast as it goes. */
  run: { question: { port: number; ms: number }; answer: Slice };
  /** Closes all connections. */
  close: { question: undefined; answer: undefined };
  /** milliseconds from when each request was due to its whole response */
  paced: { question: PacedTask; answer: number[] };
  /** connections that ask, read a little and then read no more, until `close` */
  readSlowly: { question: SlowTask; answer: undefined };
}

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['-V']).status === 0;

export class BenchChild<P extends Protocol<P>> {
  readonly #child: ChildProcess;

  /** `core`: the processor that it runs on, where taskset(1) is there to say so. */
  constructor(file: string, args: readonly string[] = [], core?: number, nodeFlags: readonly string[] = []) {
    const pinned = core !== undefined && canPin;
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), args, {
      execPath: pinned ? 'taskset' : process.execPath,
      execArgv: [...(pinned ? ['-c', String(core), process.execPath] : []), '--import', 'tsx', ...nodeFlags],
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  async ask<K extends keyof P & string>(
    type: K,
    ...[value]: P[K]['question'] extends undefined ? [] : [P[K]['question']]
  ): Promise<P[K]['answer']> {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(answerWithinMs)]);
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error(`the bench process ended instead of answering '${type}'`);
    });
    const answer = once(this.#child, 'message', { signal }) as Promise<[P[K]['answer']]>;
    this.#child.send({ type, value });
    try {
      return (await Promise.race([answer, ended]))[0];
    } finally {
      answer.catch(() => {});
      ended.catch(() => {});
      stop.abort();
    }
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    // Servers with children of their own end them when the channel closes.
    this.#child.disconnect();
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await exit;
    clearTimeout(killer);
  }
}

type Answers<P extends Protocol<P>> = {
  [K in keyof P]: (question: P[K]['question']) => P[K]['answer'] | Promise<P[K]['answer']>;
};

/** In the child: answers its parent's questions and ends with it. */
export function answerParent<P extends Protocol<P>>(answers: Answers<P>, leave?: () => unknown): void {
  process.on('message', (message: { type: keyof P; value: P[keyof P]['question'] }) => {
    if (!(message.type in answers)) return;
    void Promise.resolve(answers[message.type](message.value)).then((answer) => process.send?.(answer ?? null));
  });
  process.on('disconnect', () => void Promise.resolve(leave?.()).finally(() => process.exit(0)));
}
