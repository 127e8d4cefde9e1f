/** Runs an example as its reader would: by the command, or as a program of its own. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '../helpers/free-port.ts';
import { onEnd } from '../helpers/cleanup.ts';
import { certfile, keyfile } from '../helpers/certificates.ts';
import { projectRoot } from '../helpers/files.ts';
import { runEvy, type EvyProcess, type RunOptions } from '../helpers/run-evy.ts';
import { waitFor } from '../helpers/wait-for.ts';

// By its address: the program's working directory may be another one than the checkout.
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** `evy examples/...` on a free port, with two workers; resolves when it serves. */
export async function serveExample(...args: string[]): Promise<EvyProcess> {
  const evy = runEvy([...args, '--port', '0', ...(args[0] === '--config' ? [] : ['--workers', '2'])]);
  await evy.until('master.ready');
  return evy;
}

/** `node --import tsx examples/...`, with what RunOptions add. */
export function runExample(program: string, options: RunOptions = {}): EvyProcess {
  return runEvy([], { nodeArgs: ['--import', tsx], program, ...options });
}

export interface OnPort {
  evy: EvyProcess;
  port: number;
}

/**
 * An example that has its port in its text: the same text with a free port, run from a folder inside of the checkout (so
 * that `evy` is found) that also holds the cert.crt and private.key which ssl.ts looks for where it is run.
 */
export async function runOnFreePort(name: string, portInText: number): Promise<OnPort> {
  const cache = join(projectRoot, '.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'example-'));
  onEnd(() => rm(folder, { recursive: true, force: true }));
  const text = await readFile(join(projectRoot, 'examples', name), 'utf8');
  const port = await freePort();
  const parts = text.split(String(portInText));
  if (parts.length !== 2) throw new Error(`${name} names port ${portInText} ${parts.length - 1} times`);
  await writeFile(join(folder, name), parts.join(String(port)));
  await cp(certfile, join(folder, 'cert.crt'));
  await cp(keyfile, join(folder, 'private.key'));
  return { evy: runExample(join(folder, name), { cwd: folder }), port };
}

/** What `ask` yields once the program answers. It says nothing when it listens, so that the first answer is the fact. */
export function firstAnswer<T extends object>(evy: EvyProcess, ask: () => Promise<T>): Promise<T> {
  return waitFor(`an answer of process ${evy.pid}`, () =>
    ask().catch((error: unknown) => {
      if (!evy.isRunning) throw new Error(`it ended:\n${evy.output()}`, { cause: error });
      return undefined;
    }),
  );
}

/** Waits until the process has written something that matches. */
export function written(evy: EvyProcess, text: RegExp): Promise<RegExpExecArray> {
  return waitFor(`output ${text}`, () => text.exec(evy.output()));
}
