/** What the supervisor is made of, put together: who knows whom. */
import type { Command, Preparation } from './commands.ts';
import { Crew } from '../workers/crew.ts';
import type { CrewParts } from '../workers/crew.ts';
import type { Generation } from '../generations/generation.ts';
import { Handover, roomWithin } from '../sockets/accept-for-workers.ts';
import { LoadScaling } from '../load/load-scaling.ts';
import { LostRequests } from '../workers/lost-requests.ts';
import { NewsDesk } from './worker-news.ts';
import type { NewsDeskParts } from './worker-news.ts';
import { Operations } from '../outcomes/operations.ts';
import { Plan } from '../generations/plan.ts';
import { Quarantines } from '../load/quarantines.ts';
import { Quotas } from '../load/quotas.ts';
import { Reloading } from '../reload/reloading.ts';
import type { StopResult } from '../outcomes/results.ts';
import { Scalings } from '../load/scaling.ts';
import { Stopping } from '../outcomes/stopping.ts';
import { Succession } from '../upgrade/succession.ts';
import type { SuccessionParts } from '../upgrade/succession.ts';
import { Upkeep } from './carry-out.ts';
import type { WorkerHandle, WorkerNews } from '../workers/worker.ts';

export interface SupervisorParts extends Omit<CrewParts, 'report'>, Pick<SuccessionParts, 'directory' | 'reclaim'> {
  readonly first: Generation;
  /** to begin with, where that is not what the configuration says */
  readonly workers?: number | undefined;
  readonly push: (command: Command) => void;
  /** reads the configuration and looks for the application anew */
  readonly prepare: (number: number) => Promise<Preparation>;
  /** Nobody is to connect any more. */
  readonly refuse: () => void;
  /** the last worker is gone; another master serves the sockets of these keys */
  readonly finish: (result: StopResult, passedOn: ReadonlySet<string>) => void;
}

/** `start` and `hopeless` are the supervisor's own answers to the news of workers. */
export function assemble(parts: SupervisorParts, own: Pick<NewsDeskParts, 'start' | 'hopeless'>) {
  const { first, listeners, logger, emit, push } = parts;
  const report = (worker: WorkerHandle, news: WorkerNews) => push({ type: 'worker', worker, news });
  const prepare = (number: number) =>
    void parts.prepare(number).then((outcome) => push({ type: 'prepared', number, outcome }));
  const operations = new Operations();
  const plan = new Plan(first, parts.workers);
  const crew = new Crew({ ...parts, report });
  const reloading = new Reloading({ plan, operations, logger, emit, prepare });
  const options = () => plan.generation(reloading.settingGeneration).options;
  const room = () => roomWithin(options().maxConnections, crew.workers);
  const handover = new Handover(listeners, () => crew.open, room);
  const scalings = new Scalings({ operations, logger, emit });
  const stopping = new Stopping(operations);
  const load = new LoadScaling({ ...parts, plan, crew });
  const upkeep = new Upkeep({ plan, crew, handover, reloading, scalings, stopping });
  const quotas = new Quotas(options);
  const generations = () => plan.generationNumbers;
  const quarantines = new Quarantines({ logger, generations, broadcast: (...to) => crew.broadcastTo(...to) });
  const lostRequests = new LostRequests({ logger, quarantines, open: () => crew.open });
  const known = { plan, crew, handover, operations, reloading, scalings, load, upkeep };
  const desk = new NewsDesk({ ...known, ...own, quotas, quarantines, lostRequests, logger });
  const succession = new Succession({ ...parts, plan, crew, reloading, stopping });
  return { plan, crew, handover, reloading, scalings, load, stopping, upkeep, desk, succession };
}
