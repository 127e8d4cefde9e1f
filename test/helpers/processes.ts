/**
 * Finding what a test left running. Every process of the whole run inherits an environment variable that names it, those
 * that the tests of one mocha process started a second one, and those of one started command a third; a process
 * cannot shed them by changing its group or by losing its parent. Linux only: elsewhere there is nothing to look at and
 * nothing is found.
 */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { constants } from 'node:os';

export const suiteVariable = 'EVY_TEST_SUITE';
export const runVariable = 'EVY_TEST_RUN';
export const commandVariable = 'EVY_TEST_COMMAND';

/** In parallel mode mocha runs each file in one of several processes, which it numbers; without it there is one process. */
export const isMochaWorker = process.env.MOCHA_WORKER_ID !== undefined;

/** Names the whole run. Mocha's first process sets it; its workers and their children inherit it. */
export const suiteId = (process.env[suiteVariable] = (isMochaWorker && process.env[suiteVariable]) || randomUUID());
/** Names this process's part of the run; set in its environment, so that every child inherits it. */
export const runId = (process.env[runVariable] = randomUUID());

export interface FoundProcess {
  pid: number;
  parent: number;
  command: string;
}

const nulSeparated = (bytes: string): string[] => bytes.split('\0').filter((part) => part !== '');

/** From /proc/<pid>/stat: 'pid (name) state parent ...', where the name may hold blanks and parentheses. */
async function parentOf(pid: string): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

/** The processes whose environment, as it was when they started, has this variable. Zombies have none any more. */
export async function processesWith(variable: string, value: string): Promise<FoundProcess[]> {
  const wanted = `${variable}=${value}`;
  const names = await readdir('/proc').catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map(async (name): Promise<FoundProcess | undefined> => {
        try {
          const environment = await readFile(`/proc/${name}/environ`, 'latin1');
          if (!nulSeparated(environment).includes(wanted)) return undefined;
          const command = nulSeparated(await readFile(`/proc/${name}/cmdline`, 'latin1')).join(' ');
          return { pid: Number(name), parent: await parentOf(name), command };
        } catch {
          return undefined; // it ended meanwhile, or it is another user's
        }
      }),
  );
  return found.filter((process) => process !== undefined);
}

/** Whether a process exists; one that ended but was not waited for yet still does. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Whether a process has a handler for a signal. */
export async function handlesSignal(pid: number, signal: NodeJS.Signals): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const caught = BigInt(`0x${/^SigCgt:\s*(\w+)/m.exec(status)?.[1] ?? '0'}`);
  return ((caught >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

/** Sends a signal to a process or, with a negative id, to a process group, which may be gone already. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Kills every process of the whole run but this one, until there is none: for an 'exit' listener, which cannot wait. */
export function killSuite(): void {
  const wanted = `${suiteVariable}=${suiteId}`;
  const isOfSuite = (name: string): boolean => {
    try {
      return nulSeparated(readFileSync(`/proc/${name}/environ`, 'latin1')).includes(wanted);
    } catch {
      return false;
    }
  };
  for (let found = true, rounds = 0; found && rounds < 100; rounds += 1) {
    found = false;
    let names: string[] = [];
    try {
      names = readdirSync('/proc');
    } catch {} // no such folder: nothing to look at
    for (const name of names) {
      if (!/^\d+$/.test(name) || Number(name) === process.pid || !isOfSuite(name)) continue;
      sendSignal(Number(name), 'SIGKILL');
      found = true;
    }
  }
}
