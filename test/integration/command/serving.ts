/** What the tests of the built command share: starting it, asking it, reloading it, looking at its processes. */
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { fixture } from '../../helpers/files.ts';
import type { LoadOptions, LoadResult, RunningLoad } from '../../helpers/load-client.ts';
import { startLoad } from '../../helpers/load-process.ts';
import type { LogLine } from '../../helpers/log-reader.ts';
import { processesWith, runId, runVariable } from '../../helpers/processes.ts';
import { connect, type RawClient, type Target } from '../../helpers/raw-client.ts';
import { text, type RawResponse } from '../../helpers/response-reader.ts';
import { runEvy, type EvyProcess, type RunOptions } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** Absolute path of an application of test/fixtures/apps. */
export const application = (name: string): string => fixture('apps', name.includes('.') ? name : `${name}.mjs`);
export const echo = application('echoes-load-id');
export const slow = application('waits-for-a-file');

/** The environment of a command on whose Node something is missing, by its name in test/fixtures/node-private/breaks.mjs. */
export const brokenNode = (what: string): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--import ${pathToFileURL(fixture('node-private', 'breaks.mjs')).href}`,
  EVY_TEST_BROKEN: what,
});

/** Of one whose workers cannot inherit any listening socket. */
export const onlyTheMasterAccepts = {
  EVY_PRIVATE_API: 'off',
  ...brokenNode('a pause() that does not reach the handle'),
};

/** On a free port, with two workers. */
export const onTwo: readonly string[] = ['--port', '0', '--workers', '2'];

/** Source of an application that answers with a text of its own, or with the load client's id. */
export const answering = (own: string): string => `
export default (env, startResponse) => {
  startResponse('200 OK', [['X-Pid', String(process.pid)]]);
  return [env.HTTP_X_LOAD_ID ?? ${JSON.stringify(own)}];
};
`;

/** Runs the command; resolves when it serves. */
export async function serve(args: readonly string[], options?: RunOptions): Promise<EvyProcess> {
  const evy = runEvy(args, options);
  await evy.until('master.ready');
  return evy;
}

/** HUP, and the line that says that the new generation serves. Old workers may still be finishing what they have. */
export async function reload(evy: EvyProcess): Promise<LogLine> {
  const times = evy.seen('reload.live').length + 1;
  evy.signal('SIGHUP');
  return evy.until('reload.live', { times });
}

export interface Worker {
  pid: number;
  generation: number;
}

/** The worker processes, by the title that `ps` shows. */
export async function workersOf(evy: EvyProcess, master = evy.pid): Promise<Worker[]> {
  const found = await processesWith(runVariable, runId);
  return found
    .filter(({ parent }) => parent === master)
    .map(({ pid, command }) => ({ pid, generation: Number(/^evy worker \(generation (\d+)\)/.exec(command)?.[1]) }))
    .toSorted((one, other) => one.pid - other.pid);
}

/**
 * Waits until the master's children are workers of these generations and nothing else, and it has told of who is gone. `master`
 * is another process than the command after an upgrade.
 */
export async function crewOf(evy: EvyProcess, generations: readonly number[], master = evy.pid): Promise<Worker[]> {
  let last: Worker[] = [];
  const isComplete = async () => {
    last = await workersOf(evy, master);
    // A process is gone before the line that says so is here; of one whose own master was killed nobody tells.
    const here = new Set<unknown>(last.map(({ pid }) => pid));
    const told = new Set([...evy.seen('worker.exit'), ...evy.seen('worker.orphaned')].map(({ pid }) => pid));
    const isTold = evy.seen('worker.ready').every(({ pid }) => here.has(pid) || told.has(pid));
    return last.map(({ generation }) => generation).join() === generations.join() && isTold && last;
  };
  return waitFor(`workers of the generations ${generations.join()}`, isComplete).catch((error: unknown) => {
    throw new Error(`there are: ${JSON.stringify(last)}\n${evy.output()}`, { cause: error });
  });
}

/** Whether a process has ended. One that nobody has waited for yet has ended too. */
export async function hasEnded(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  return stat === undefined || 'ZX'.includes(stat[stat.lastIndexOf(')') + 2]!);
}

/** One request on a connection of its own. */
export async function ask(target: Target, path = '/'): Promise<RawResponse> {
  const client = await connect(target);
  const response = await client.request(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  client.close();
  return response;
}

export const answerOf = async (target: Target, path?: string): Promise<string> => text(await ask(target, path));

/** A keep-alive connection with a request on it that ends when `gate` exists; resolves when the application has it. */
export async function beginSlow(target: Target, gate: string): Promise<RawClient> {
  const client = await connect(target);
  client.send(`GET /?${gate} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  await waitFor('the first piece of the response', () => client.received.includes('begun,'));
  return client;
}

/** A keep-alive connection that has had one answer and waits. */
export async function beIdle(target: Target): Promise<RawClient> {
  const client = await connect(target);
  await client.request('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return client;
}

/** Why a connection was not made, or 'connected'. */
export async function refusalOf(target: Target): Promise<string> {
  try {
    (await connect(target)).close();
    return 'connected';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
  }
}

/** Enough to notice a loss, little enough to leave the cores to what is tested. */
export const light: Partial<LoadOptions> = { keepAlive: 8, reconnecting: 2, paceMs: 15 };

/** Starts a load, in its own process; resolves when it is served. */
export async function underLoad(evy: EvyProcess, options: Partial<LoadOptions> = {}): Promise<RunningLoad> {
  const load = await startLoad({ port: evy.port, expect: 'echo-id', countHeader: 'X-Pid', ...options });
  await moreAnswers(load);
  return load;
}

/** Waits until the load has had so many more answers. */
export async function moreAnswers(load: RunningLoad, count = 100): Promise<LoadResult> {
  const { ok } = await load.snapshot();
  return waitFor(`${count} more answers`, async () => {
    const now = await load.snapshot();
    return now.ok >= ok + count && now;
  });
}

/** No request failed, no answer was wrong, no connection ended without having been announced. */
export function expectNoLoss({ failed, wrong, non200, closedIdle, examples }: LoadResult): void {
  expect({ failed, wrong, non200, closedIdle, examples }).to.deep.equal({
    failed: 0,
    wrong: 0,
    non200: 0,
    closedIdle: 0,
    examples: [],
  });
}

/** As `expectNoLoss`, and no connection ended at all: each client kept its own. */
export function expectUnnoticed(result: LoadResult): void {
  expectNoLoss(result);
  expect(result.announcedClose).to.equal(0);
}
