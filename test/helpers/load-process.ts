/** The load client in a process of its own: this file is both the parent's handle and the child's program. */
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

const stripsTypes = 'typescript' in process.features && process.features.typescript !== false;
const ownPath = fileURLToPath(import.meta.url);
const answerWithinMs = 30_000;

class LoadProcess implements RunningLoad {
  readonly #child: ChildProcess;
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
    const ended = once(this.#child, 'exit');
    const result = (await this.ask({ type: 'stop' }))!;
    await withDeadline("the load client's end", ended, answerWithinMs);
    return result;
  }
}

/** Starts the load in another process; it ends with `stop()`, with the test, or with this process. */
export async function startLoad(options: LoadOptions): Promise<RunningLoad> {
  // A Node that strips types itself starts in a fraction of the time.
  const child = fork(ownPath, { execArgv: stripsTypes ? [] : ['--import', 'tsx'] });
  onEnd(() => child.kill('SIGKILL'));
  const load = new LoadProcess(child);
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
    void answer(question).then((reply) => {
      process.send?.(reply, () => question.type === 'stop' && process.disconnect());
    });
  });
  process.on('disconnect', () => process.exit(0));
}

if (process.argv[1] === ownPath) serveParent();
