/**
 * The bench's processes: a server or a load generator answers each question of its parent with one message. This file
 * has both sides, so that a question and its answer are typed in one place.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const answerWithinMs = 10_000;

/** For each kind of question: what is asked and what is answered. */
export type Protocol<P> = { [K in keyof P]: { question: unknown; answer: unknown } };

/** CPU time that a process has used so far, all threads. */
export interface CpuTime {
  userMs: number;
  systemMs: number;
}

/** What a server process can be asked. */
export interface ServerProtocol {
  port: { question: undefined; answer: number };
  cpu: { question: undefined; answer: CpuTime };
}

export interface LoadTask {
  port: number;
  request: string;
  connections: number;
  /** requests that a connection sends at once; 1 for no pipelining */
  pipeline: number;
}

/** What a load generator can be asked. */
export interface LoadProtocol {
  start: { question: LoadTask; answer: undefined };
  /** whole responses so far */
  count: { question: undefined; answer: number };
  stop: { question: undefined; answer: undefined };
}

export class BenchChild<P extends Protocol<P>> {
  readonly #child: ChildProcess;

  constructor(file: string, args: readonly string[] = [], nodeFlags: readonly string[] = []) {
    const execArgv = ['--import', 'tsx', ...nodeFlags];
    this.#child = fork(fileURLToPath(new URL(file, import.meta.url)), args, { execArgv });
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
    this.#child.kill('SIGKILL');
    await exit;
  }
}

type Answers<P extends Protocol<P>> = {
  [K in keyof P]: (question: P[K]['question']) => P[K]['answer'] | Promise<P[K]['answer']>;
};

/** In the child: answers its parent's questions and ends with it. */
export function answerParent<P extends Protocol<P>>(answers: Answers<P>): void {
  process.on('message', (message: { type: keyof P; value: P[keyof P]['question'] }) => {
    void Promise.resolve(answers[message.type](message.value)).then((answer) => process.send?.(answer ?? null));
  });
  process.on('disconnect', () => process.exit(0));
}

export function cpuTime(): CpuTime {
  const { user, system } = process.cpuUsage();
  return { userMs: user / 1000, systemMs: system / 1000 };
}
