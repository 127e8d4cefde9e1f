/** Carries out one step on a scene. What lasts goes on beside the next steps, until its time is over or the scene settles. */
import { rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { existsSync } from 'node:fs';
import { sendSignal } from '../helpers/processes.ts';
import { stopProcess } from './held-ports.ts';
import type { Scene } from './scene.ts';
import type { Aimed, Step } from './steps.ts';

const mostWorkers = 5;
const obeyedWithinMs = 5_000;
/** without being told, which follows at once */
const crashesWithinMs = 5_000;

export class Deeds {
  readonly #scene: Scene;
  readonly #lasting = new Set<Promise<void>>();
  /** the first one of what lasts */
  #failure: unknown;
  readonly #settling = new AbortController();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  /** Carries a step out, its pause included. */
  async do(step: Step): Promise<void> {
    await this.#begin(step);
    await this.#wait(step.pauseMs);
    this.#throwFailure();
  }

  /** Ends all that lasts: nobody is stopped any more, and no release is bad. */
  async settle(): Promise<void> {
    this.#settling.abort();
    await Promise.all(this.#lasting);
    this.#throwFailure();
  }

  async #begin(step: Step): Promise<void> {
    const scene = this.#scene;
    switch (step.kind) {
      case 'reload':
        return void (await scene.reload());
      case 'upgrade':
        return scene.upgrade();
      case 'storm':
        for (let times = 0; times < step.reloads; times += 1) await scene.reload();
        return;
      case 'more':
        return scene.wanted < mostWorkers ? scene.scale(1) : undefined;
      case 'fewer':
        return scene.scale(-1);
      case 'broken-release':
      case 'slow-release':
        await scene.release(step.kind === 'broken-release' ? 'broken' : 'slow');
        await scene.reload();
        return this.#last(step.lastsMs, () => scene.release('good'));
      case 'kill-all':
        await Promise.all((await scene.workers()).map(({ pid }) => scene.kill(pid)));
        return;
      case 'stop-master':
        return this.#stopMaster(scene.master, step.lastsMs);
      case 'kill':
      case 'crash':
      case 'retire':
      case 'stop':
      case 'block':
      case 'grow':
        return this.#aim(step);
    }
  }

  async #stopMaster(pid: number, lastsMs: number): Promise<void> {
    await stopProcess(pid);
    this.#last(lastsMs, () => sendSignal(pid, 'SIGCONT'));
  }

  async #aim(step: Extract<Step, Aimed>): Promise<void> {
    const scene = this.#scene;
    const pid = await scene.worker(step.whom);
    if (pid === undefined) return;
    switch (step.kind) {
      case 'kill':
        return scene.kill(pid);
      case 'crash':
        if (await this.#order(pid, `crash ${crashesWithinMs}`)) await scene.crashing(pid);
        return;
      case 'retire':
        return sendSignal(pid, 'SIGTERM');
      case 'stop':
        if (await stopProcess(pid)) this.#last(step.lastsMs, () => scene.goOn(pid));
        return;
      case 'block':
        if (await this.#order(pid, `block ${step.lastsMs}`)) await scene.blocked(pid, step.lastsMs);
        return;
      case 'grow':
        return void (await this.#order(pid, `grow ${step.bytes}`));
    }
  }

  /** Whether the worker has begun to do it; one that is stopped, or does not live long enough, has not. */
  async #order(pid: number, order: string): Promise<boolean> {
    const file = this.#scene.troubleFile(pid);
    await writeFile(`${file}.next`, `${order}\n`);
    await rename(`${file}.next`, file);
    const deadlineMs = performance.now() + obeyedWithinMs;
    while (existsSync(file) && existsSync(`/proc/${pid}`) && performance.now() < deadlineMs) await this.#wait(10);
    if (!existsSync(file)) return true;
    await rm(file, { force: true });
    return false;
  }

  #last(lastsMs: number, undo: () => unknown): void {
    const over = this.#wait(lastsMs)
      .then(undo)
      .catch((error: unknown) => void (this.#failure ??= error))
      .then(() => void this.#lasting.delete(over));
    this.#lasting.add(over);
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#settling.signal }).catch(() => {});
  }
}
