/**
 * The load client in a process of its own: this file is both the parent's handle and the child's program. A child that has
 * done its part waits for the next one, since its start costs more than most loads.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onEnd } from './cleanup.ts';
import { startLoadHere, type LoadOptions, type LoadResult, type RunningLoad } from './load-client.ts';
import { withDeadline } from './wait-for.ts';

type Question = { type: 'start'; options: LoadOptions } | { type: 'snapshot' } | { type: 'stop' };
/** 'start' is answered too: by then the connections are being opened. */
interface Answer {
  result: LoadResult | undefined;
}

// A Node that strips types itself starts in a fraction of the time.
const stripsTypes = 'typescript' in process.features && process.features.typescript !== false;
const ownPath = fileURLToPath(import.meta.url);
const answerWithinMs = 30_000;
const idle: ChildProcess[] = [];

/** One that waits, or a new one; none of them keeps this process alive. */
function takeChild(): ChildProcess {
  for (let child = idle.pop(); child !== undefined; child = idle.pop()) if (child.connected) return child;
  const child = fork(ownPath, { execArgv: stripsTypes ? [] : ['--import', 'tsx'] });
  child.unref();
  child.channel?.unref();
  return child;
}

/** Whether a process is one of ours, which may outlive a test. */
export const isLoadProcess = (command: string): boolean => command.endsWith(` ${ownPath}`);

class LoadProcess implements RunningLoad {
  readonly #child: ChildProcess;
  isStopped = false;
  constructor(child: ChildProcess) {
    this.#child = child;
  }

  async ask(question: Question): Promise<LoadResult | undefined> {
    const answer = once(this.#child, 'message') as Promise<[Answer]>;
    this.#child.send(question);
    const [{ result }] = await withDeadline(`the load client's answer to '${question.type}'`, answer, answerWithinMs);
    return result;
  }

  async snapshot(): Promise<LoadResult> {
    return (await this.ask({ type: 'snapshot' }))!;
  }

  async stop(): Promise<LoadResult> {
    const result = (await this.ask({ type: 'stop' }))!;
    this.isStopped = true;
    idle.push(this.#child);
    return result;
  }
}

/** Starts the load in another process; it ends with `stop()`, with the test, or with this process. */
export async function startLoad(options: LoadOptions): Promise<RunningLoad> {
  const child = takeChild();
  const load = new LoadProcess(child);
  onEnd(() => load.isStopped || child.kill('SIGKILL'));
  await load.ask({ type: 'start', options });
  return load;
}

function serveParent(): void {
  let load: RunningLoad | undefined;
  const answer = async (question: Question): Promise<Answer> => {
    switch (question.type) {
      case 'start':
        load = startLoadHere(question.options);
        return { result: undefined };
      case 'snapshot':
        return { result: await load?.snapshot() };
      case 'stop':
        return { result: await load?.stop() };
    }
  };
  process.on('message', (question: Question) => {
    void answer(question).then((reply) => process.send?.(reply));
  });
  process.on('disconnect', () => process.exit(0));
}

if (process.argv[1] === ownPath) serveParent();
