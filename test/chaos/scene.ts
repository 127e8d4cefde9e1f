/** The server that chaos comes over: the built command behind a link to its current release, and what is known about it. */
import { readdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fixture, tempFolder } from '../helpers/files.ts';
import type { LogLine } from '../helpers/log-reader.ts';
import { sendSignal } from '../helpers/processes.ts';
import { runEvy, type EvyProcess } from '../helpers/run-evy.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { crewOf, hasEnded, workersOf, type Worker } from '../integration/command/serving.ts';
import { optionNames } from '../../src/shared/options/names.ts';
import { watchTickMs } from '../../src/shared/quiet.ts';
import { heldPorts, isStopped, stopProcess } from './held-ports.ts';
import type { Death } from './verdict.ts';

export type Kind = 'wsgi' | 'fetch' | 'node';
export type Release = 'good' | 'slow' | 'broken';

const workersAtStart = 3;
const slowBootMs = 1500;
/** where there is an option for it; longer than any stop */
const patienceMs = 6000;
const hasPatience = (optionNames as readonly string[]).includes('stuckTimeout');
/** Orders are seen so late at most: those that come sooner one after the other are one. */
const turnMs = 300;
export const longestBlockMs = hasPatience ? 9000 : 3000;
const settleWithinMs = 90_000;

interface Footprint {
  descriptors: number;
  workers: number;
}

function releaseFiles(kind: Kind): Record<string, string> {
  const serve = `import ${JSON.stringify(fixture('apps', 'troubled.mjs'))};
export { default } from ${JSON.stringify(fixture('apps', `hammered-${kind}.mjs`))};
`;
  const sleep = `await new Promise((resolve) => setTimeout(resolve, ${slowBootMs}));\n`;
  return {
    'good/app.mjs': serve,
    'slow/app.mjs': `${sleep}${serve}`,
    'broken/app.mjs': `throw new Error('a broken release');\n`,
    'trouble/README': 'orders to workers, by process id\n',
  };
}

export class Scene {
  readonly evy: EvyProcess;
  /** process id of the master: another one after each upgrade */
  master: number;
  readonly deaths: Death[] = [];
  /** workers, by our orders alone */
  #ordered = workersAtStart;
  readonly #folder: string;
  #releases = 0;
  readonly #doomed = new Set<number>();
  /** since when and until when the loops of workers are blocked */
  readonly #blocks = new Map<number, { sinceMs: number; untilMs: number }>();
  #atStart: Footprint = { descriptors: 0, workers: 0 };

  private constructor(folder: string) {
    const current = join(folder, 'current');
    const patience = hasPatience ? ['--stuck-timeout', `${patienceMs}ms`] : [];
    const args = ['--port', '0', '--workers', String(workersAtStart), '--max-memory', '200MB', ...patience, 'app.mjs'];
    this.#folder = folder;
    this.evy = runEvy(args, { cwd: current, env: { PWD: current, TROUBLE: join(folder, 'trouble') } });
    this.master = this.evy.pid;
  }

  static async set(kind: Kind): Promise<Scene> {
    const folder = await tempFolder(releaseFiles(kind));
    await symlink('good', join(folder, 'current'));
    const scene = new Scene(folder);
    await scene.evy.until('master.ready');
    // So that each master that is compared has another one before it.
    await scene.upgrade();
    await scene.#crew(workersAtStart, 1);
    scene.#atStart = await scene.#footprint();
    return scene;
  }

  async release(name: Release): Promise<void> {
    this.#releases += 1;
    const next = join(this.#folder, `next-${this.#releases}`); // two may come at once
    await symlink(name, next);
    await rename(next, join(this.#folder, 'current'));
  }

  /** HUP; resolves with the new generation when the master has taken it. */
  async reload(): Promise<number> {
    const times = this.evy.seen('reload.started').length + 1;
    sendSignal(this.master, 'SIGHUP');
    return Number((await this.evy.until('reload.started', { times })).generation);
  }

  /** USR2; resolves when another master is alone in its place, or has failed. Its release is broken, or slow, or good. */
  async upgrade(): Promise<void> {
    const { evy, master } = this;
    const failures = evy.seen('upgrade.failed').length;
    const upgrades = evy.seen('upgrade.ready').length;
    await this.#running();
    sendSignal(master, 'SIGUSR2');
    const isDecided = () => evy.seen('upgrade.failed').length > failures || evy.seen('upgrade.ready').length > upgrades;
    await waitFor('the outcome of an upgrade', isDecided, { withinMs: settleWithinMs });
    if (evy.seen('upgrade.failed').length > failures) return;
    await waitFor('the end of the old master', () => hasEnded(master), { withinMs: settleWithinMs });
    this.master = Number(evy.seen('upgrade.ready').at(-1)!.successor);
  }

  #running(): Promise<unknown> {
    return waitFor('the master to go on', async () => !(await isStopped(this.master)));
  }

  /** What the number of workers has to be: as ordered, without the orders that the server has said it could not carry out. */
  get wanted(): number {
    return this.evy
      .seen('scale.failed')
      .reduce((wanted, { from, to }) => wanted + Number(from) - Number(to), this.#ordered);
  }

  /** One worker more or less. Not while the master is stopped: SIGCONT throws waiting TTIN and TTOU away (signal(7)). */
  async scale(by: 1 | -1): Promise<void> {
    await this.#running();
    const times = this.evy.seen('scale').length + 1;
    if (this.wanted + by >= 1) this.#ordered += by;
    sendSignal(this.master, by === 1 ? 'SIGTTIN' : 'SIGTTOU');
    await this.evy.until('scale', { times });
  }

  async worker(whom: number): Promise<number | undefined> {
    const workers = await workersOf(this.evy, this.master);
    return workers[Math.floor(whom * workers.length)]?.pid;
  }

  workers(): Promise<Worker[]> {
    return workersOf(this.evy, this.master);
  }

  /** kill -9, with a record of what it may cost: the process is stopped first, so that it is exact. */
  async kill(pid: number): Promise<void> {
    this.#doomed.add(pid);
    if (!(await stopProcess(pid))) return;
    await this.#recordDeath(pid);
    sendSignal(pid, 'SIGKILL'); // the server may have been faster
  }

  /** A worker whose loop is blocked: the server may kill it, if that lasts longer than it is patient. */
  async blocked(pid: number, lastsMs: number): Promise<void> {
    const nowMs = performance.now();
    const before = this.#blocks.get(pid);
    // One order may come while the loop still carries out another: it has no turn between the two.
    const { sinceMs, untilMs } =
      before && before.untilMs > nowMs - turnMs ? before : { sinceMs: nowMs, untilMs: nowMs };
    const block = { sinceMs, untilMs: untilMs + lastsMs };
    this.#blocks.set(pid, block);
    // The server counts from the last sign of life before it, and a loop that has to share its processor is late.
    if (hasPatience && block.untilMs - block.sinceMs >= patienceMs - 2 * watchTickMs(patienceMs))
      await this.#recordDeath(pid);
  }

  /** A worker that waits to die of itself, and whose loop does nothing until then. */
  async crashing(pid: number): Promise<void> {
    await this.#recordDeath(pid);
    await writeFile(`${this.troubleFile(pid)}.go`, '');
  }

  /** What a process that cannot go on holds now. */
  async #recordDeath(pid: number): Promise<void> {
    const ports = await heldPorts(pid, this.evy.port);
    this.deaths.push({ pid, atMs: performance.now(), ports });
  }

  /** One that is to be killed stays stopped: what it holds has been noted. */
  goOn(pid: number): void {
    if (!this.#doomed.has(pid)) sendSignal(pid, 'SIGCONT');
  }

  troubleFile(pid: number): string {
    return join(this.#folder, 'trouble', String(pid));
  }

  /** A last reload of a good release, and then as many workers as wanted, all of that generation. */
  async settle(): Promise<void> {
    await this.release('good');
    const last = await this.reload();
    const where = ({ generation }: LogLine) => generation === last;
    // An earlier master may have had a generation of that number.
    const times = this.evy.seen('reload.done', where).length + 1;
    await this.evy.until('reload.done', { where, times, withinMs: settleWithinMs });
    await this.#crew(this.wanted, last);
  }

  async #crew(count: number, generation: number): Promise<void> {
    await crewOf(
      this.evy,
      Array.from({ length: count }, () => generation),
      this.master,
    );
  }

  /** Without clients and with as many workers as at the start, the master is as it was. */
  async compareWithStart(): Promise<void> {
    while (this.wanted > workersAtStart) await this.scale(-1);
    while (this.wanted < workersAtStart) await this.scale(1);
    let now = this.#atStart;
    const isSame = async () => {
      now = await this.#footprint();
      // At the start the channel to the master before may still have been open.
      return now.descriptors <= this.#atStart.descriptors && now.workers === this.#atStart.workers;
    };
    await waitFor('as at the start', isSame, { withinMs: 15_000, everyMs: 100 }).catch((error: unknown) => {
      throw new Error(`at the start ${JSON.stringify(this.#atStart)}, now ${JSON.stringify(now)}`, { cause: error });
    });
  }

  /** Ends it in order; nobody may be left. */
  async end(): Promise<void> {
    sendSignal(this.master, 'SIGTERM');
    await waitFor('the end', () => hasEnded(this.master), { withinMs: settleWithinMs });
    const { code, signal: by } = await this.evy.exit; // of the first master
    const left = await this.evy.reap();
    if (code !== 0) throw new Error(`the command ended with ${code ?? by}`);
    if (left.length > 0) throw new Error(`left running: ${left.join(', ')}`);
  }

  async masterBytes(): Promise<number> {
    const status = await readFile(`/proc/${this.master}/status`, 'latin1');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) * 1024;
  }

  async #footprint(): Promise<Footprint> {
    const descriptors = (await readdir(`/proc/${this.master}/fd`)).length;
    return { descriptors, workers: (await workersOf(this.evy, this.master)).length };
  }
}
