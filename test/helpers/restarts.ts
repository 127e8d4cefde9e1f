/**
 * Every kind of restart, for every interface, plain and over TLS, under a load that counts what a client notices. Used by
 * a test (once each) and by the bench (many times).
 */
import { readdir, readFile } from 'node:fs/promises';
import { ask, crewOf, moreAnswers, serve, type Worker } from '../integration/command/serving.ts';
import { end, upgrade } from '../integration/command/upgrading.ts';
import { certfile, keyfile, trusted } from './certificates.ts';
import { fixture, tempFolder, writeFiles } from './files.ts';
import type { LoadOptions, LoadResult, RunningLoad } from './load-client.ts';
import { startLoad } from './load-process.ts';
import type { LogLine } from './log-reader.ts';
import type { EvyProcess } from './run-evy.ts';
import { waitFor } from './wait-for.ts';

export const interfaces = ['wsgi', 'fetch', 'node'] as const;
export const transports = ['plain', 'tls'] as const;
export const restartKinds = [
  'reload',
  'scale down',
  'maxRequests',
  'maxAge',
  'TERM of a worker',
  'release taken back',
  'upgrade',
] as const;
export type Interface = (typeof interfaces)[number];
export type Transport = (typeof transports)[number];
export type RestartKind = (typeof restartKinds)[number];

const workers = 2;
const endsWithinMs = 60_000;
const applications: Readonly<Record<Interface, string>> = {
  wsgi: 'echoes-load-id.mjs',
  fetch: 'echoes-load-id-fetch.mjs',
  node: 'echoes-load-id-node.mjs',
};

/** What of a result came after an earlier one of the same load: all counts, and the examples. */
export function since(before: LoadResult, now: LoadResult): LoadResult {
  const counts = Object.entries(now).map(([name, value]: [string, unknown]) => {
    const earlier: unknown = before[name as keyof LoadResult];
    return [name, typeof value === 'number' && !name.endsWith('Ms') ? value - Number(earlier) : value];
  });
  return { ...(Object.fromEntries(counts) as LoadResult), examples: now.examples.slice(before.examples.length) };
}

export interface Footprint {
  descriptors: number;
  children: number;
  residentBytes: number;
}

export class RestartedServer {
  readonly evy: EvyProcess;
  readonly load: RunningLoad;
  readonly #folder: string;
  readonly #config: { readonly bind: string };
  /** process id of the master: another one after an upgrade */
  #master: number;
  #generation = 1;

  private constructor(evy: EvyProcess, load: RunningLoad, folder: string, config: { bind: string }) {
    this.evy = evy;
    this.load = load;
    this.#folder = folder;
    this.#config = config;
    this.#master = evy.pid;
  }

  static async serve(kind: Interface, transport: Transport, load: Partial<LoadOptions> = {}): Promise<RestartedServer> {
    const isTls = transport === 'tls';
    const config = {
      app: fixture('apps', applications[kind]),
      bind: `${isTls ? 'tls:' : ''}127.0.0.1:0`,
      workers,
      ...(isTls ? { certfile, keyfile } : {}),
    };
    const folder = await tempFolder();
    await writeConfig(folder, config);
    const evy = await serve([], { cwd: folder });
    await crewOf(evy, [1, 1]);
    const running = await startLoad({ port: evy.port, tls: isTls, expect: 'echo-id', countHeader: 'X-Pid', ...load });
    await moreAnswers(running);
    return new RestartedServer(evy, running, folder, config);
  }

  /** So many restarts of a kind; resolves with what the load counted meanwhile, when the last old worker has left. */
  async restart(kind: RestartKind, times = 1): Promise<LoadResult> {
    const before = await this.load.snapshot();
    await this.#carryOut(kind, times);
    return since(before, await moreAnswers(this.load));
  }

  /** Ends the load and the server. */
  async stop(): Promise<void> {
    await this.load.stop();
    await end(this.#master);
  }

  async footprint(): Promise<Footprint> {
    const pid = this.#master;
    const status = await readFile(`/proc/${pid}/status`, 'latin1');
    return {
      descriptors: (await readdir(`/proc/${pid}/fd`)).length,
      children: (await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1')).split(' ').filter(Boolean).length,
      residentBytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024,
    };
  }

  async #carryOut(kind: RestartKind, times: number): Promise<void> {
    switch (kind) {
      case 'reload':
        for (let done = 0; done < times; done += 1) await this.#reload();
        return;
      case 'scale down':
        for (let done = 0; done < times; done += 1) {
          await this.#scale('SIGTTIN', workers + 1);
          await moreAnswers(this.load);
          await this.#scale('SIGTTOU', workers);
        }
        return;
      case 'maxRequests':
        return this.#recycle(kind, { maxRequests: 100, maxRequestsJitter: 50 }, times);
      case 'maxAge':
        return this.#recycle(kind, { maxAge: '1s', maxAgeJitter: '1s' }, times);
      case 'TERM of a worker':
        for (let done = 0; done < times; done += 1) await this.#endWorker();
        return;
      case 'release taken back':
        for (let done = 0; done < times; done += 1) await this.#takeBack();
        return;
      case 'upgrade':
        for (let done = 0; done < times; done += 1) await this.#upgrade();
    }
  }

  /** A reload brings the limits in; when so many workers have been replaced for them, another one takes them away. */
  async #recycle(reason: string, limits: object, times: number): Promise<void> {
    const due = (line: LogLine) => line.reason === reason;
    const before = this.evy.seen('worker.retiring', due).length;
    await writeConfig(this.#folder, { ...this.#config, ...limits });
    await this.#bringIn(); // without waiting for a crew that is whole: somebody may be leaving at any time
    await this.evy.until('worker.retiring', {
      where: due,
      times: before + times,
      withinMs: endsWithinMs + times * 5000,
    });
    await writeConfig(this.#folder, this.#config);
    await this.#reload();
  }

  async #reload(): Promise<void> {
    this.#generation = Number((await this.#bringIn()).generation);
    await this.#crew();
  }

  /** HUP, and the line that says that the new generation serves. */
  async #bringIn(): Promise<LogLine> {
    const times = this.evy.seen('reload.live').length + 1;
    this.#signal('SIGHUP');
    return this.evy.until('reload.live', { times });
  }

  async #scale(signal: 'SIGTTIN' | 'SIGTTOU', to: number): Promise<void> {
    this.#signal(signal);
    await this.#crew(to);
  }

  async #endWorker(): Promise<void> {
    const [{ pid }] = (await this.#crew()) as [Worker];
    process.kill(pid, 'SIGTERM');
    await this.evy.until('worker.exit', { where: (line) => line.pid === pid, withinMs: endsWithinMs });
    await this.#crew();
  }

  /** A release that bakes gives an answer with 500, which is too many. Old workers may still have been about to stop accepting. */
  async #takeBack(): Promise<void> {
    const times = this.evy.seen('reload.rolled-back').length;
    await writeConfig(this.#folder, { ...this.#config, bake: '1h', bakeMaxErrorRate: 0 });
    await this.#bringIn();
    const { port } = this.evy;
    const isTls = this.#config.bind.startsWith('tls:');
    const isBack = async () => {
      await ask({ port, ...(isTls && { tls: trusted }) }, '/sick');
      return this.evy.seen('reload.rolled-back').length > times;
    };
    await waitFor('the verdict', isBack, { everyMs: 100 });
    await writeConfig(this.#folder, this.#config);
    await this.#crew();
  }

  async #upgrade(): Promise<void> {
    this.#master = (await upgrade(this.evy, this.#master)).pid;
    this.#generation = 1;
    await this.#crew();
  }

  /** Waits until so many workers of the generation that serves are all that there is. */
  async #crew(count = workers): Promise<Worker[]> {
    const generations = Array.from({ length: count }, () => this.#generation);
    return crewOf(this.evy, generations, this.#master);
  }

  #signal(name: NodeJS.Signals): void {
    process.kill(this.#master, name);
  }
}

const writeConfig = (folder: string, config: object) =>
  writeFiles(folder, { 'evy.config.json': JSON.stringify(config) });
