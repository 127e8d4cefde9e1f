import { expect } from 'chai';
import { array, assert, constant, constantFrom, nat, oneof, property, record } from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { isRolledOut, reconcile } from '../../../src/master/loop/reconcile.ts';
import type { CrewCommand } from '../../../src/master/loop/reconcile.ts';
import type { Wanted } from '../../../src/master/generations/plan.ts';
import type { SeenWorker, WorkerState } from '../../../src/master/workers/worker-states.ts';
import { isLive, nextWorkerState } from '../../../src/master/workers/worker-states.ts';

const noneHeld = { serving: 0, candidate: 0 };
const wants = (change: Partial<Wanted> = {}): Wanted => ({
  workers: 2,
  surge: 1,
  serving: 1,
  candidate: null,
  warm: false,
  ending: 'no',
  ...change,
});

const letters: Record<string, WorkerState> = {
  s: 'spawned',
  b: 'booting',
  r: 'ready',
  w: 'standby',
  d: 'draining',
  k: 'killed',
};
/** '1r 2b' is worker 1 of generation 1, ready, and worker 2 of generation 2, booting; '1r*' is overdue. */
const see = (text: string): SeenWorker[] =>
  text
    .split(' ')
    .filter(Boolean)
    .map((word, index) => ({
      id: index + 1,
      generation: Number(word[0]),
      state: letters[word[1]!]!,
      overdue: word[2] === '*',
    }));
const signs = { retire: '-', kill: 'x', rest: '~', resume: '^' } as const;
/** '+2' spawns generation 2, '-1' retires worker 1, 'x1' kills it, '~1' lets it stand by, '^1' lets it accept again. */
const show = (commands: readonly CrewCommand[]): string =>
  commands
    .map((command) => (command.do === 'spawn' ? `+${command.generation}` : `${signs[command.do]}${command.worker}`))
    .join(' ');

describe('reconcile', () => {
  const cases: Array<[what: string, wanted: Partial<Wanted>, seen: string, commands: string]> = [
    ['start: all at once', {}, '', '+1 +1'],
    ['nothing to do', {}, '1r 1r', ''],
    ['nothing to do while they boot', {}, '1s 1b', ''],
    ['a dead one is replaced', {}, '1r', '+1'],
    ['all dead', { workers: 3 }, '', '+1 +1 +1'],
    ['one that drains or is killed does not count', {}, '1r 1d 1k', '+1'],
    ['scaled up', { workers: 4 }, '1r 1r', '+1 +1'],
    ['scaled down: the youngest leave', { workers: 1 }, '1r 1r 1r', '-3 -2'],
    ['scaled down: those that boot leave first', { workers: 1 }, '1r 1b 1s', '-3 -2'],
    ['scaled down: what boots leaves, what serves stays until enough serve', { workers: 2 }, '1r 1b 1b', '-3'],

    ['reload: one canary beside the full strength', { candidate: 2 }, '1r 1r', '+2'],
    ['canary: waits', { candidate: 2 }, '1r 1r 2s', ''],
    ['canary: a dead old one is replaced', { candidate: 2 }, '1r 2b', '+1'],
    ['canary: all old ones dead', { candidate: 2 }, '2b', '+1 +1'],
    ['canary: the old generation first, then the canary', { candidate: 2 }, '', '+1 +1 +2'],
    ['canary: scaled up meanwhile', { workers: 4, candidate: 2 }, '1r 1r 2b', '+1 +1'],
    ['canary: scaled down meanwhile', { workers: 1, candidate: 2 }, '1r 1r 2b', '-2'],
    ['roll: an old one leaves for the ready canary, the next follows', { candidate: 2 }, '1r 1r 2r', '-1 +2'],
    ['roll: waits for the next', { candidate: 2 }, '1d 1r 2r 2b', ''],
    ['roll: the last old one leaves', { candidate: 2 }, '1d 1r 2r 2r', '-2'],
    ['roll: an old one that boots is not waited for', { candidate: 2 }, '1r 1b 2r', '-2 +2'],
    ['roll: a dead old one is replaced by a new one', { candidate: 2 }, '1r 2r', '+2'],
    ['roll: all old ones dead', { workers: 4, candidate: 2 }, '2r', '+2 +2 +2'],
    ['roll: scaled up', { workers: 4, candidate: 2 }, '1r 2r 2b', '+2 +2'],
    ['roll: scaled down', { workers: 1, candidate: 2 }, '1r 1r 2r 2b', '-4 -1 -2'],
    ['roll: every candidate died: the canary phase again', { candidate: 2 }, '1r', '+1 +2'],

    ['surge: still one canary', { workers: 4, surge: 3, candidate: 2 }, '1r 1r 1r 1r', '+2'],
    [
      'surge: as many as allowed follow at a time',
      { workers: 4, surge: 3, candidate: 2 },
      '1r 1r 1r 1r 2r',
      '-1 +2 +2 +2',
    ],
    ['surge: the last step is what is left', { workers: 4, surge: 3, candidate: 2 }, '1r 1r 2r 2r 2r', '-1 +2'],
    ['surge: more than all', { workers: 2, surge: 9, candidate: 2 }, '1r 1r 2r', '-1 +2'],

    ['undone: what boots of the new leaves at once', {}, '1r 1r 2b', '-3'],
    ['undone: new ones stay until the old are back', {}, '1r 2r', '+1'],
    ['undone: new ones leave for the old', {}, '2r 1r 1r', '-1'],
    ['undone: within the surge', { workers: 3 }, '2r 2r 2r', '+1'],
    ['undone, then scaled down: what boots is too much', {}, '2r 2r 1b 1b', '-4'],
    ['superseded: what boots leaves, what serves counts as strength', { candidate: 3 }, '1r 2r 2b', '-3 +3'],
    ['superseded: replaced by the newest', { candidate: 3 }, '1r 2r 3r', '-2 +3'],

    ['warm: an old one stands by for the ready canary', { candidate: 2, warm: true }, '1r 1r 2r', '~1 +2'],
    ['warm: whoever boots of the old leaves', { candidate: 2, warm: true }, '1r 1b 2r', '-2 +2'],
    ['warm: all have taken over', { candidate: 2, warm: true }, '1w 1w 2r 2r', ''],
    ['warm: a dead new one is replaced by a new one', { candidate: 2, warm: true }, '1w 1w 2r', '+2'],
    ['warm: all new ones dead: the old accept again', { candidate: 2, warm: true }, '1w 1w', '^2 ^1 +2'],
    ['warm: and stand by again', { candidate: 2, warm: true }, '1r 1r 2r', '~1 +2'],
    ['warm: one on standby fills the gap of a dead old one', { candidate: 2, warm: true }, '1w 1r', '^1 +2'],
    [
      'warm: scaled down: no more stand by than are wanted',
      { workers: 1, candidate: 2, warm: true },
      '1w 1w 2r 2r',
      '-1 -4',
    ],
    ['warm: what a superseded reload left does not stand by', { candidate: 3, warm: true }, '1w 1w 2r 2r 3r', '-3 +3'],
    ['warm: nor does it call the old ones back', { candidate: 3, warm: true }, '1w 1w 2r 2r', '+3'],
    ['accepted: those on standby leave', { serving: 2 }, '1w 1w 2r 2r', '-2 -1'],
    ['taken back: the old accept, the new leave', {}, '1w 1w 2r 2r', '^2 ^1 -3 -4'],
    ['taken back: one has died meanwhile', {}, '1w 2r 2r', '^1 -2 +1'],
    ['taken back in the middle', {}, '1w 1r 2r 2b', '^1 -4 -3'],
    ['taken back: what boots of the old is not needed', {}, '1w 1w 1b', '^2 ^1 -3'],
    ['taken back: too many of the old', { workers: 1 }, '1w 1w 2r', '^2 -1 -3'],

    ['overdue: the new one first', {}, '1r* 1r', '+1'],
    ['overdue: waits for it', {}, '1r* 1r 1b', ''],
    ['overdue: leaves for it', {}, '1r* 1r 1r', '-1'],
    ['overdue: one at a time, the oldest first', {}, '1r* 1r* 1r', '-1 +1'],
    ['overdue: as many at a time as allowed', { workers: 3, surge: 2 }, '1r* 1r* 1r*', '+1 +1'],
    ['overdue: no more than there are', { workers: 3, surge: 9 }, '1r* 1r 1r', '+1'],
    ['overdue: the replacement died', {}, '1r* 1r', '+1'],
    ['overdue: another one has died', {}, '1r*', '+1 +1'],
    ['overdue, and scaled down: it leaves first', { workers: 1 }, '1r 1r*', '-2'],
    ['overdue, and scaled down: its replacement is not needed', { workers: 1 }, '1r* 1r 1b', '-3 -1'],
    ['overdue while a canary boots: not now', { candidate: 2 }, '1r* 1r 2b', ''],
    ['overdue in a roll: it is replaced anyway', { candidate: 2 }, '1r* 1r 2r', '-2 +2'],
    ['overdue and new, in a roll: not now', { candidate: 2 }, '1r 2r* 2b', ''],
    ['overdue while it bakes', { candidate: 2, warm: true }, '1w 1w 2r* 2r', '+2'],

    ['stop: all leave', { ending: 'graceful' }, '1s 1b 1r 1d 1k', '-1 -2 -3'],
    ['stop: those on standby, too', { ending: 'graceful' }, '1w 2r', '-1 -2'],
    ['stop at once: those on standby, too', { ending: 'now' }, '1w 2r', 'x1 x2'],
    ['stop during a reload', { ending: 'graceful', candidate: 2 }, '1r 1r 2b', '-1 -2 -3'],
    ['stop: nothing is spawned', { ending: 'graceful', candidate: 2 }, '1d', ''],
    ['stop at once', { ending: 'now' }, '1s 1b 1r 1d 1k', 'x1 x2 x3 x4'],
  ];
  for (const [what, wanted, seen, commands] of cases) {
    it(`${what}: ${seen || 'nobody'} -> ${commands || 'nothing'}`, () => {
      expect(show(reconcile(wants(wanted), see(seen), noneHeld))).to.equal(commands);
    });
  }

  it('leaves places open that are held', () => {
    expect(show(reconcile(wants({ workers: 3 }), see('1r'), { serving: 1, candidate: 0 }))).to.equal('+1');
    expect(show(reconcile(wants({ candidate: 2 }), see('1r 1r'), { serving: 0, candidate: 1 }))).to.equal('');
    expect(show(reconcile(wants({ candidate: 2 }), see('2r'), { serving: 0, candidate: 1 }))).to.equal('');
  });

  it('knows when the candidate has taken over', () => {
    const rolledOut = (text: string, change: Partial<Wanted> = { candidate: 2 }) =>
      isRolledOut(wants(change), see(text));
    expect(rolledOut('2r 2r')).to.equal(true);
    expect(rolledOut('2r 2r 1d 1k')).to.equal(true);
    expect(rolledOut('2r 2r 1r')).to.equal(false);
    expect(rolledOut('2r 2b')).to.equal(false);
    expect(rolledOut('1r 1r', {})).to.equal(false);
  });
});

/** A world that obeys: what happens is up to chance, what is done about it to reconcile. */
class World {
  wanted = wants({ workers: 3 });
  workers: SeenWorker[] = [];
  #lastId = 0;
  #lastGeneration = 1;

  get live(): SeenWorker[] {
    return this.workers.filter(({ state }) => isLive(state));
  }
  get ready(): number {
    return this.workers.filter(({ state }) => state === 'ready').length;
  }

  put(worker: SeenWorker, state: WorkerState): void {
    this.workers = this.workers.flatMap((one) =>
      one.id !== worker.id ? [one] : state === 'gone' ? [] : [{ ...one, state }],
    );
  }

  happen(event: Event): void {
    const worker = this.workers[event.pick % Math.max(1, this.workers.length)];
    if (event.type === 'scale') this.wanted = { ...this.wanted, workers: 1 + (event.pick % 6) };
    if (event.type === 'reload') {
      this.#lastGeneration += 1;
      this.wanted = { ...this.wanted, candidate: this.#lastGeneration, warm: event.pick % 2 === 0 };
    }
    if (event.type === 'undo') this.wanted = { ...this.wanted, candidate: null, warm: false };
    if (event.type === 'accept') this.accept();
    if (event.type === 'stop') this.wanted = { ...this.wanted, ending: 'graceful' };
    if (!worker) return;
    if (event.type === 'proceed') this.proceed(worker);
    if (event.type === 'age' && worker.state === 'ready')
      this.workers = this.workers.map((one) => (one === worker ? { ...one, overdue: true } : one));
    if (event.type === 'die') {
      const failedBoot =
        worker.generation === this.wanted.candidate && (worker.state === 'spawned' || worker.state === 'booting');
      this.put(worker, nextWorkerState(worker.state, 'exit'));
      if (failedBoot) this.wanted = { ...this.wanted, candidate: null, warm: false };
    }
  }

  /** The next step of a worker to which nothing bad happens. */
  proceed(worker: SeenWorker): void {
    if (worker.state === 'spawned') this.put(worker, nextWorkerState('spawned', 'hello'));
    if (worker.state === 'booting') this.put(worker, nextWorkerState('booting', 'ready'));
    if (worker.state === 'draining' || worker.state === 'killed')
      this.put(worker, nextWorkerState(worker.state, 'exit'));
  }

  reconcile(): CrewCommand[] {
    const commands = reconcile(this.wanted, this.workers, noneHeld);
    for (const command of commands) {
      if (command.do === 'spawn') {
        this.#lastId += 1;
        this.workers.push({ id: this.#lastId, generation: command.generation, state: 'spawned' });
      } else {
        const worker = this.workers.find(({ id }) => id === command.worker)!;
        this.put(worker, nextWorkerState(worker.state, command.do === 'kill' ? 'deadline' : command.do));
      }
    }
    if (!this.wanted.warm) this.accept();
    return commands;
  }

  /** The candidate, if it serves alone, is good. */
  accept(): void {
    if (isRolledOut(this.wanted, this.workers))
      this.wanted = { ...this.wanted, serving: this.wanted.candidate!, candidate: null, warm: false };
  }
}

interface Event {
  type: 'proceed' | 'die' | 'scale' | 'reload' | 'undo' | 'accept' | 'age' | 'stop';
  pick: number;
}
const anEvent: Arbitrary<Event> = record({
  type: oneof(
    { weight: 12, arbitrary: constant('proceed' as const) },
    { weight: 3, arbitrary: constant('die' as const) },
    { weight: 2, arbitrary: constantFrom('scale' as const, 'reload' as const) },
    { weight: 2, arbitrary: constantFrom('undo' as const, 'accept' as const, 'age' as const) },
  ),
  pick: nat(1000),
});

describe('reconcile, whatever happens', () => {
  const run = (events: readonly Event[]): World => {
    const world = new World();
    world.reconcile();
    for (const event of events) {
      world.happen(event);
      const { ready } = world;
      const { workers, surge, candidate, ending } = world.wanted;
      const rolling = world.workers.some(({ state, generation }) => state === 'ready' && generation === candidate);
      const commands = world.reconcile();
      if (ending === 'no') {
        expect(world.live.length, 'live').to.be.at.most(workers + surge);
        expect(world.ready, 'ready').to.be.at.least(Math.min(workers, ready));
        expect(world.live.length, 'strength').to.be.at.least(workers);
        if (!rolling && candidate !== null) {
          expect(
            commands.filter((command) => command.do === 'spawn' && command.generation === candidate).length,
            'canaries',
          ).to.be.at.most(1);
        }
      } else {
        expect(
          commands.some((command) => command.do === 'spawn'),
          'spawns at the end',
        ).to.equal(false);
      }
      expect(show(world.reconcile()), 'a second look').to.equal('');
    }
    return world;
  };

  it('never goes above workers + surge, never retires what is needed, and does all in one step', () => {
    assert(
      property(array(anEvent, { maxLength: 60 }), (events) => void run(events)),
      { numRuns: 500 },
    );
  });

  it('comes to what is wanted once nothing more happens', () => {
    assert(
      property(array(anEvent, { maxLength: 60 }), (events) => {
        const world = run(events);
        const goal = world.wanted.candidate ?? world.wanted.serving;
        for (let round = 0; round < 90; round += 1) {
          for (const worker of world.workers) world.proceed(worker);
          world.reconcile();
          world.accept();
        }
        expect(world.wanted.serving).to.equal(goal);
        expect(world.workers.filter(({ overdue }) => overdue === true)).to.deep.equal([]);
        expect(world.workers.map(({ state, generation }) => `${generation} ${state}`)).to.deep.equal(
          Array.from({ length: world.wanted.workers }, () => `${goal} ready`),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('ends when it is to end', () => {
    assert(
      property(array(anEvent, { maxLength: 40 }), array(anEvent, { maxLength: 20 }), (before, after) => {
        const world = run([...before, { type: 'stop', pick: 0 }, ...after]);
        for (let round = 0; round < 4; round += 1) for (const worker of world.workers) world.proceed(worker);
        expect(world.workers).to.deep.equal([]);
      }),
      { numRuns: 300 },
    );
  });
});
