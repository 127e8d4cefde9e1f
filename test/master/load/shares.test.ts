import { expect } from 'chai';
import { array, assert, boolean, constantFrom, integer, nat, property, record } from 'fast-check';
import type { Usage } from '../../../src/shared/protocol/guarding.ts';
import { dealShares, newHolder, noteUsage, targetShares } from '../../../src/master/load/shares.ts';
import type { Holder } from '../../../src/master/load/shares.ts';

describe('the shares of a limit', () => {
  /** '7+' is 7, and would have been more */
  const claimOf = (text: string) => ({ wanted: Number.parseInt(text, 10), isShort: text.endsWith('+') });
  const cases: Array<[what: string, limit: number, wanted: string, shares: number[]]> = [
    ['are even when nobody has anything', 100, '0 0 0 0', [25, 25, 25, 25]],
    ['are what is used, and more', 100, '30 10 0', [73, 25, 2]],
    ['are nearly the whole for one that wants it', 100, '26+ 0 0 0', [96, 2, 1, 1]],
    ['are nearly the whole for one that has it', 100, '98+ 0 0 0', [97, 1, 1, 1]],
    ['leave those alone that are content', 50, '39+ 8 4', [38, 8, 4]],
    ['draw those together that are not', 50, '41+ 11+', [37, 13]],
    ['are cut down for all when there are fewer', 10, '10 10', [5, 5]],
    ['are whole where there are fewer than workers', 1, '0 0', [1, 0]],
    ['go where they are wanted then', 1, '0 1+', [0, 1]],
    ['are nothing of nothing', 0, '5 5', [0, 0]],
  ];
  for (const [what, limit, wanted, shares] of cases) {
    it(what, () => expect(targetShares(limit, wanted.split(' ').map(claimOf))).to.deep.equal(shares));
  }

  it('are the whole limit, whatever is wanted', () => {
    const claim = record({ wanted: nat(5_000), isShort: boolean() });
    assert(
      property(nat(10_000), array(claim, { minLength: 1, maxLength: 16 }), (limit, wanted) => {
        const shares = targetShares(limit, wanted);
        expect(shares.reduce((one, other) => one + other, 0)).to.equal(limit);
        if (limit >= wanted.length) for (const share of shares) expect(share).to.be.at.least(1);
      }),
    );
  });
});

describe('a share', () => {
  const holder = (id: number, change: Partial<Holder>): Holder => ({ ...newHolder(id), ...change });
  const sharesOf = (holders: Holder[]) => holders.map(({ share, held }) => `${share}/${held}`).join(' ');

  it('that is lowered is held until that is confirmed', () => {
    let holders = dealShares(10, [holder(1, { share: 10, held: 10 }), holder(2, { wanted: 9 })], 7);
    expect(sharesOf(holders)).to.equal('1/10 0/0');
    holders = dealShares(10, [noteUsage(holders[0]!, 6, { now: 1, wanted: 0, isShort: false }), holders[1]!], 8);
    expect(sharesOf(holders)).to.equal('1/10 0/0');
    holders = dealShares(10, [noteUsage(holders[0]!, 7, { now: 1, wanted: 0, isShort: false }), holders[1]!], 9);
    expect(sharesOf(holders)).to.equal('1/1 9/9');
  });

  it('does not count for less than what is used', () => {
    const holders = dealShares(
      10,
      [
        noteUsage(holder(1, { share: 2, held: 10 }), 0, { now: 7, wanted: 0, isShort: false }),
        holder(2, { wanted: 9 }),
      ],
      1,
    );
    expect(sharesOf(holders)).to.equal('1/7 3/3');
  });

  it('of one that leaves goes to the others, less what it still has', () => {
    let holders = dealShares(
      10,
      [holder(1, { share: 5, held: 5, isLeaving: true }), holder(2, { share: 5, held: 5 })],
      7,
    );
    expect(sharesOf(holders)).to.equal('0/5 5/5');
    holders = dealShares(10, [noteUsage(holders[0]!, 7, { now: 3, wanted: 3, isShort: false }), holders[1]!], 8);
    expect(sharesOf(holders)).to.equal('0/3 7/7');
  });
});

/** Workers that take and give back as they like, and whose messages are on their way for as long as it pleases. */
type Step = { do: 'take' | 'give' | 'report' | 'hear' | 'listen' | 'deal'; worker: number; count: number };

function run(limit: number, workers: number, steps: readonly Step[]): void {
  const real = Array.from({ length: workers }, () => ({ share: 0, serial: 0, used: 0, wanted: 0, isShort: false }));
  const toMaster: Array<Array<Usage & { serial: number }>> = real.map(() => []);
  const toWorker: Array<Array<Pick<Holder, 'share' | 'serial'>>> = real.map(() => []);
  let holders = real.map((_, id) => newHolder(id));
  let serial = 0;
  for (const { do: what, worker: index, count } of steps) {
    const worker = real[index % workers]!;
    const id = index % workers;
    if (what === 'take') {
      worker.used = Math.max(worker.used, Math.min(worker.share, worker.used + count));
      worker.isShort = worker.used === worker.share;
      worker.wanted = worker.used + (worker.isShort ? 1 : 0);
    } else if (what === 'give') worker.used = Math.max(0, worker.used - count);
    else if (what === 'report')
      toMaster[id]!.push({ serial: worker.serial, now: worker.used, wanted: worker.wanted, isShort: worker.isShort });
    else if (what === 'listen') Object.assign(worker, toWorker[id]!.shift());
    else if (what === 'hear') {
      const usage = toMaster[id]!.shift();
      if (usage)
        holders = holders.map((holder) => (holder.id === id ? noteUsage(holder, usage.serial, usage) : holder));
    } else {
      const before = holders;
      serial += 1;
      holders = dealShares(limit, holders, serial);
      for (const [one, holder] of holders.entries()) {
        if (holder.share !== before[one]!.share) toWorker[one]!.push({ share: holder.share, serial: holder.serial });
      }
    }
    const inUse = real.reduce((sum, { used }) => sum + used, 0);
    expect(inUse, 'in use').to.be.at.most(limit);
  }
}

describe('all workers together', () => {
  it('never have more than the limit, whatever they do and however late messages are', () => {
    const step = record({
      do: constantFrom<Step['do']>('take', 'take', 'give', 'report', 'hear', 'listen', 'deal'),
      worker: nat(3),
      count: integer({ min: 1, max: 20 }),
    });
    assert(property(integer({ min: 1, max: 40 }), integer({ min: 1, max: 4 }), array(step, { maxLength: 300 }), run), {
      numRuns: 1000,
    });
  });

  it('let one that is busy have nearly the whole within a few rounds', () => {
    let holders = [0, 1, 2, 3].map(newHolder);
    const report = (holder: Holder, serial: number): Holder => {
      const now = holder.id === 3 ? holder.share : 0;
      return noteUsage(holder, serial, { now, wanted: now, isShort: holder.id === 3 });
    };
    let rounds = 0;
    while (holders[3]!.share < 94 && rounds < 100) {
      rounds += 1;
      const serial = rounds;
      holders = dealShares(100, holders, serial).map((holder) => report(holder, serial));
    }
    expect(rounds).to.be.at.most(6);
  });
});
