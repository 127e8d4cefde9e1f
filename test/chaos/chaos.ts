/**
 * A server under a hammer and under steps drawn from a seed, and what must hold all the same, by the clients' own record:
 *
 * - each response is the request's own, once and in order; no connection is refused;
 * - a connection ends without a word, or a request stays without its answer, only if a process that was killed held it;
 * - at the end all workers are there, of the last generation, and the master has as many descriptors and children as at the
 *   start; after the end nobody is left.
 */
import { hammer, type Hammer, type HammerResult, type UnexplainedEnd } from '../helpers/hammer.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { Deeds } from './deeds.ts';
import { seededRandom, type Random } from './random.ts';
import { longestBlockMs, Scene, type Kind } from './scene.ts';
import { drawStep, type Step } from './steps.ts';
import { faults, faultText } from './verdict.ts';

export interface ChaosTask {
  seed: number;
  /** of steps; setting up and settling come on top of it */
  durationMs: number;
  kind: Kind;
  /** called after each step */
  onStep?: (report: ChaosReport) => void;
}

export interface ChaosReport {
  readonly steps: Step[];
  counts: HammerResult;
  /** processes that were killed */
  deaths: number;
  /** connections that ended with them */
  excused: number;
  masterBytes: { start: number; end: number };
  /** what must not have happened */
  readonly problems: string[];
  /** what the server said */
  log: string;
}

const clients = 24;
const leaving = 0.02;
/** Killed again and again right after its start, a worker comes back only after half a minute. */
const answeredWithinMs = 60_000;
/** Past these, a connection's end has long been seen. */
const keptDeaths = 100;

class Chaos {
  readonly #scene: Scene;
  readonly #random: Random;
  readonly #clients: Hammer;
  #forgotten = 0;
  readonly #ends: UnexplainedEnd[] = [];
  readonly report: ChaosReport;

  constructor(scene: Scene, seed: number) {
    this.#scene = scene;
    this.#random = seededRandom(seed);
    const onUnexplainedEnd = (end: UnexplainedEnd) => this.#ends.push(end);
    // Numbers of its own: how many of them the clients use depends on time.
    const random = seededRandom(seed + 1);
    this.#clients = hammer({ port: scene.evy.port }, clients, { random, leaving, onUnexplainedEnd });
    const masterBytes = { start: 0, end: 0 };
    const { result } = this.#clients;
    this.report = { steps: [], counts: result, deaths: 0, excused: 0, masterBytes, problems: [], log: '' };
  }

  async run({ durationMs, onStep }: ChaosTask): Promise<void> {
    const { report } = this;
    const deeds = new Deeds(this.#scene);
    report.masterBytes.start = await this.#scene.masterBytes();
    await this.#moreAnswers();
    const endMs = performance.now() + durationMs;
    while (performance.now() < endMs && report.problems.length === 0) {
      const step = drawStep(this.#random, { longestBlockMs });
      report.steps.push(step);
      await deeds.do(step);
      this.#judge();
      onStep?.(report);
    }
    await deeds.settle();
    await this.#scene.settle();
    await this.#moreAnswers();
    await this.#clients.stop();
    this.#judge();
    await this.#scene.compareWithStart();
    report.masterBytes.end = await this.#scene.masterBytes();
    await this.#scene.end();
  }

  async #moreAnswers(): Promise<void> {
    const { counts } = this.report;
    const wanted = counts.answered + 10 * clients;
    await waitFor('more answers', () => counts.answered >= wanted, { withinMs: answeredWithinMs });
  }

  #judge(): void {
    const { report } = this;
    const { deaths } = this.#scene;
    const ends = this.#ends.splice(0);
    const unexplained = faults(ends, deaths);
    report.excused += ends.length - unexplained.length;
    report.problems.push(...unexplained.map(faultText));
    if (report.counts.wrong > 0) report.problems.push(`${report.counts.wrong} wrong answers`);
    const waitingMs = this.#clients.waitingMs();
    if (waitingMs > answeredWithinMs) report.problems.push(`a request waits since ${Math.round(waitingMs)} ms`);
    this.#forgotten += deaths.splice(0, Math.max(0, deaths.length - keptDeaths)).length;
    report.deaths = this.#forgotten + deaths.length;
  }
}

/** Sets the scene, lets chaos come over it, and tells what was found. */
export async function runChaos(task: ChaosTask): Promise<ChaosReport> {
  const scene = await Scene.set(task.kind);
  const chaos = new Chaos(scene, task.seed);
  const { report } = chaos;
  try {
    await chaos.run(task);
  } catch (error) {
    report.problems.push((error as Error).message);
  } finally {
    // What clients see of the end is no part of it.
    report.counts = { ...report.counts, examples: [...report.counts.examples] };
    await scene.evy.reap();
  }
  if (report.problems.length > 0) report.problems.push(...report.counts.examples);
  report.log = scene.evy.output();
  return report;
}
