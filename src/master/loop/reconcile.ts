/**
 * Decides which workers are started and which leave, by comparing the wanted state with the current one. It is one
 * pure function.
 *
 * It depends only on the current state and never on events, and may be called at any time and any number of times. So a
 * lost signal, a crash during a reload or two simultaneous reloads need no special rule.
 *
 * - Steady: `workers` workers of the serving generation. Workers of any other one (left by a reload that was undone or
 *   superseded) stay only as long as they fill a gap.
 * - Canary: a candidate generation with no ready worker. The serving generation is kept at full strength, and one
 *   candidate boots beside it.
 * - Roll: a candidate is ready. Old workers are replaced, each only after its replacement is ready. If all
 *   candidates die, this is the canary phase again.
 *
 * - Warm: with a bake time to follow, replaced workers are put on standby instead of leaving. If their generation must
 *   become complete again, they accept again before any worker is spawned; when no rollback to it is possible any more,
 *   they leave.
 *
 * - Recycling: workers of the complete generation that are overdue are replaced, as many at a time as `surge` allows,
 *   while nothing else is being replaced.
 *
 * Two promises hold in each phase: no ready worker is retired unless `workers` ready ones remain, and none is spawned
 * above `workers + surge` live ones.
 */
import type { Wanted } from '../generations/plan.ts';
import { isLive, stays } from '../workers/worker-states.ts';
import type { SeenWorker } from '../workers/worker-states.ts';

/** Places that must not be filled yet (see backoff.ts). */
export interface HeldPlaces {
  readonly serving: number;
  readonly candidate: number;
}

export type CrewCommand =
  | { do: 'spawn'; generation: number }
  | { do: 'rest'; worker: number }
  | { do: 'resume'; worker: number }
  | { do: 'retire'; worker: number }
  | { do: 'kill'; worker: number };

/** Live workers of some generations in the order in which they stay: oldest first, overdue ones last. */
interface Group {
  ready: SeenWorker[];
  booting: SeenWorker[];
}

function groupOf(workers: readonly SeenWorker[]): Group {
  const order = ({ id, overdue }: SeenWorker) => (overdue === true ? Number.MAX_SAFE_INTEGER - id : id);
  const sorted = workers.toSorted((one, other) => order(one) - order(other));
  return {
    ready: sorted.filter((worker) => worker.state === 'ready'),
    booting: sorted.filter((worker) => worker.state !== 'ready'),
  };
}

const size = (group: Group): number => group.ready.length + group.booting.length;

/** Whether the candidate has taken over: whole, and alone. */
export function isRolledOut(wanted: Wanted, seen: readonly SeenWorker[]): boolean {
  const live = seen.filter((worker) => isLive(worker.state));
  return (
    wanted.candidate !== null &&
    live.filter((worker) => worker.state === 'ready').length >= wanted.workers &&
    live.every((worker) => worker.generation === wanted.candidate)
  );
}

/** Workers on standby: those that accept again, those that leave, and how many more may stand by. */
interface Standby {
  readonly returning: readonly SeenWorker[];
  readonly leaving: readonly SeenWorker[];
  /** how many more workers may be put on standby */
  readonly places: number;
}

/** Whether a replaced worker is put on standby instead of leaving. */
function isWarm({ warm, serving }: Wanted, { generation }: SeenWorker): boolean {
  return warm && generation === serving;
}

/**
 * `missing` workers of the serving generation accept again, if there are that many: the youngest, which have been on
 * standby for the shortest time. Of the others, as many as are wanted stay on standby, and the rest leave.
 */
function sortStandby(wanted: Wanted, seen: readonly SeenWorker[], missing: number): Standby {
  const resting = seen.filter(({ state }) => state === 'standby').toSorted((one, other) => other.id - one.id);
  const returning = resting.filter(({ generation }) => generation === wanted.serving).slice(0, Math.max(0, missing));
  const staying = resting.filter((worker) => !returning.includes(worker));
  const warm = staying.filter((worker) => isWarm(wanted, worker)).slice(0, wanted.workers);
  const leaving = staying.filter((worker) => !warm.includes(worker));
  return { returning, leaving, places: wanted.workers - warm.length };
}

export function reconcile(wanted: Wanted, seen: readonly SeenWorker[], held: HeldPlaces): CrewCommand[] {
  const { workers, surge, ending } = wanted;
  if (ending === 'now') {
    return seen
      .filter(({ state }) => state !== 'killed' && state !== 'gone')
      .map(({ id }) => ({ do: 'kill', worker: id }));
  }
  const live = seen.filter((worker) => isLive(worker.state));
  const commands: CrewCommand[] = [];
  const retire = (worker: SeenWorker | undefined) => {
    if (worker) commands.push({ do: 'retire', worker: worker.id });
  };
  if (ending === 'graceful') {
    seen.filter(({ state }) => stays(state)).forEach(retire);
    return commands;
  }

  const serving = groupOf(live.filter(({ generation }) => generation === wanted.serving));
  const candidate = groupOf(live.filter(({ generation }) => generation === wanted.candidate));
  const others = groupOf(
    live.filter(({ generation }) => generation !== wanted.serving && generation !== wanted.candidate),
  );
  const rolling = candidate.ready.length > 0;
  // The generation that must become complete, and the workers that stand in for it until then, in the order in which
  // they leave.
  const target = rolling ? candidate : serving;
  const canary: Group = rolling ? { ready: [], booting: [] } : candidate;
  const old: Group = rolling
    ? { ready: [...others.ready, ...serving.ready], booting: [...others.booting, ...serving.booting] }
    : others;

  // While a canary boots, workers left by a superseded reload count as serving, so that they are not replaced twice.
  const standIns = () => (wanted.candidate !== null && !rolling ? old.ready.length : 0);
  const missingReady = rolling ? 0 : workers - serving.ready.length - standIns();
  const standby = sortStandby(wanted, seen, missingReady);
  for (const worker of standby.returning) commands.push({ do: 'resume', worker: worker.id });
  serving.ready.push(...standby.returning);
  standby.leaving.forEach(retire);
  let warmPlaces = standby.places;
  const replace = (worker: SeenWorker) => {
    if (!isWarm(wanted, worker) || warmPlaces === 0) return retire(worker);
    warmPlaces -= 1;
    commands.push({ do: 'rest', worker: worker.id });
  };

  // An old worker that is not ready is not needed any more.
  while (old.booting.length > 0) retire(old.booting.pop());
  // The youngest workers of the target leave first, since they have the fewest connections; booting ones before ready
  // ones.
  const isWhole = (rolling || wanted.candidate === null) && old.ready.length === 0;
  const recycled = () => (isWhole ? Math.min(surge, target.ready.filter(({ overdue }) => overdue === true).length) : 0);
  const trim = () => {
    while (size(target) > workers + recycled() && target.booting.length > 0) retire(target.booting.pop());
  };
  trim();
  let surplus = old.ready.length + target.ready.length - workers;
  for (; surplus > 0 && old.ready.length > 0; surplus -= 1) replace(old.ready.shift()!);
  for (; surplus > 0 && target.ready.length > 0; surplus -= 1) retire(target.ready.pop());
  trim();
  // After scaling down, too many workers may boot although no group by itself has too many.
  const total = () => size(target) + size(canary) + old.ready.length;
  while (total() > workers + surge && target.booting.length > 0) retire(target.booting.pop());
  while (total() > workers + surge && canary.booting.length > 0) retire(canary.booting.pop());

  const missing = workers + recycled() - size(target) - standIns() - (rolling ? held.candidate : held.serving);
  const spawns = Math.max(0, Math.min(missing, workers + surge - total()));
  const generation = rolling ? wanted.candidate! : wanted.serving;
  for (let count = 0; count < spawns; count += 1) commands.push({ do: 'spawn', generation });

  const mayBoot = !rolling && size(canary) === 0 && held.candidate === 0 && total() + spawns < workers + surge;
  if (wanted.candidate !== null && mayBoot) commands.push({ do: 'spawn', generation: wanted.candidate });
  return commands;
}
