import { expect } from 'chai';
import { noQuarantine, noteCrash, Quarantines, dropExpired } from '../../../src/master/load/quarantine.ts';
import type { Quarantine, QuarantineRules } from '../../../src/master/load/quarantine.ts';
import type { MasterToWorker, RequestSummary } from '../../../src/shared/protocol/messages.ts';
import { resolveInput } from '../../../src/shared/options/input.ts';
import { recordingLogger } from '../helpers/fake-crew.ts';

const rules: QuarantineRules = { crashes: 2, windowMs: 1000, forMs: 500 };

/** What is quarantined after crashes at some times, each with some routes under way, as 'route until'. */
function after(crashes: Array<[atMs: number, routes: string]>, change: Partial<QuarantineRules> = {}): string[] {
  const crash = (quarantine: Quarantine, [atMs, routes]: [number, string]) =>
    noteCrash(quarantine, new Set(routes.split('')), atMs, { ...rules, ...change });
  return [...crashes.reduce(crash, noQuarantine).until].map(([route, untilMs]) => `${route} ${untilMs}`);
}

describe('a route is quarantined', () => {
  const cases: Array<
    [what: string, crashes: Array<[number, string]>, change: Partial<QuarantineRules>, until: string[]]
  > = [
    ['not after too few crashes', [[0, 'a']], {}, []],
    [
      'after enough of them',
      [
        [0, 'a'],
        [999, 'a'],
      ],
      {},
      ['a 1499'],
    ],
    [
      'not when they are too far apart',
      [
        [0, 'a'],
        [1000, 'a'],
      ],
      {},
      [],
    ],
    [
      'when the last ones are near enough',
      [
        [0, 'a'],
        [1000, 'a'],
        [1900, 'a'],
      ],
      {},
      ['a 2400'],
    ],
    [
      'and no other one',
      [
        [0, 'ab'],
        [1, 'ac'],
        [2, 'd'],
      ],
      {},
      ['a 501'],
    ],
    [
      'with all that were there each time',
      [
        [0, 'ab'],
        [1, 'ab'],
      ],
      {},
      ['a 501', 'b 501'],
    ],
    ['at the first crash if one is enough', [[7, 'a']], { crashes: 1 }, ['a 507']],
    [
      'anew after as many crashes again',
      [
        [0, 'a'],
        [1, 'a'],
        [600, 'a'],
      ],
      {},
      ['a 501'],
    ],
    [
      'anew',
      [
        [0, 'a'],
        [1, 'a'],
        [600, 'a'],
        [700, 'a'],
      ],
      {},
      ['a 1200'],
    ],
  ];
  for (const [what, crashes, change, until] of cases) {
    it(what, () => expect(after(crashes, change)).to.deep.equal(until));
  }

  it('until its time is over', () => {
    const quarantine = noteCrash(noQuarantine, new Set(['a']), 0, { ...rules, crashes: 1 });
    expect([...dropExpired(quarantine, 499).until.keys()]).to.deep.equal(['a']);
    expect([...dropExpired(quarantine, 500).until.keys()]).to.deep.equal([]);
  });
});

describe('a master with a quarantine', () => {
  const request = (target: string): RequestSummary => ({ method: 'GET', target, peer: '', ageMs: 1 });

  function quarantines(crashes: number) {
    const sent: Array<[generation: number, message: MasterToWorker]> = [];
    const logger = recordingLogger();
    const wanted = new Set([1, 2]);
    const generations = () => wanted;
    const made = new Quarantines({ logger, generations, broadcast: (...one) => void sent.push(one) });
    const options = resolveInput({ app: 'app.mjs', quarantine: crashes });
    const crash = (number: number, ...targets: string[]) => made.noteCrash({ number, options }, targets.map(request));
    return { made, crash, sent, logger, wanted };
  }

  it('tells the workers of that generation, those to come as well, and says so once', () => {
    const { made, crash, sent, logger } = quarantines(2);
    crash(1, '/users/1', '/users/2', '/');
    crash(2, '/users/1');
    expect(made.messageFor(1)).to.equal(undefined);
    crash(1, '/users/3?x');
    expect(logger.lines.map(({ fields }) => fields['route'])).to.deep.equal(['GET /users/:id']);
    expect(sent.map(([generation]) => generation)).to.deep.equal([1]);
    const message = made.messageFor(1);
    expect(message?.routes[0]).to.include({ route: 'GET /users/:id' });
    expect(message?.routes[0]?.forMs).to.be.within(1, 60_000);
    expect(made.messageFor(2)).to.equal(undefined);
  });

  it('forgets generations that are gone', () => {
    const { made, crash, wanted } = quarantines(1);
    crash(1, '/');
    wanted.delete(1);
    crash(2, '/');
    expect(made.messageFor(1)).to.equal(undefined);
    expect(made.messageFor(2)).to.not.equal(undefined);
  });

  it('does nothing when it is off', () => {
    const { crash, sent } = quarantines(0);
    for (let times = 0; times < 5; times += 1) crash(1, '/');
    expect(sent).to.deep.equal([]);
  });
});
