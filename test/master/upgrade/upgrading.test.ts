import { expect } from 'chai';
import type { Generation } from '../../../src/master/generations/generation.ts';
import { Plan } from '../../../src/master/generations/plan.ts';
import { Operations } from '../../../src/master/outcomes/operations.ts';
import { deferred } from '../../../src/master/outcomes/queue.ts';
import type { ReloadResult, UpgradeResult } from '../../../src/master/outcomes/results.ts';
import { Stopping } from '../../../src/master/outcomes/stopping.ts';
import type { ReloadCommand } from '../../../src/master/reload/reloading.ts';
import type { NextMaster, NextMasterNews } from '../../../src/master/upgrade/next-master.ts';
import { Upgrading } from '../../../src/master/upgrade/upgrading.ts';
import type { NextMasterCommand } from '../../../src/master/upgrade/upgrading.ts';
import { EvyError } from '../../../src/shared/errors.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { recordingLogger, rejection } from '../helpers/fake-crew.ts';

const ready: NextMasterNews = { type: 'ready', keys: ['127.0.0.1:80'], moving: true };
const died: NextMasterNews = { type: 'gone', how: 'exit code 2' };

const first = {
  number: 1,
  options: { workers: { least: 2, most: 2 }, surge: 1, bootTimeoutMs: 1_000, graceMs: 500 },
} as unknown as Generation;

/** A master with two workers, and next masters that only note what they are told; their process ids are 1, 2, and so on. */
function make({ refusal }: { refusal?: Error } = {}) {
  const logger = recordingLogger();
  const deeds: string[] = [];
  const pushed: Array<ReloadCommand | NextMasterCommand> = [];
  const nextMasters: NextMaster[] = [];
  const plan = new Plan(first);
  const stopping = new Stopping(new Operations());
  const pidOf = (party: unknown) => (party as NextMaster).pid;
  const upgrading = new Upgrading({
    plan,
    crew: {
      workers: [{ id: 1 }, { id: 2 }],
      moves: {
        openTo: (target) => deeds.push(`open to ${pidOf(target)}`),
        closeTo: (party) => deeds.push(`close to ${pidOf(party)}`),
      },
    },
    reloading: { giveWay: () => deeds.push('reloads give way') },
    stopping,
    logger,
    emit: (name, ..._values) => {
      if (name === 'stopping') deeds.push('stopping');
    },
    push: (command) => pushed.push(command),
    startNextMaster: (size) => {
      if (refusal) throw refusal;
      expect(size).to.deep.equal({ configured: { least: 2, most: 2 }, wanted: 2 });
      const pid = nextMasters.length + 1;
      const tell = ({ type }: { type: string }) => deeds.push(`tell ${pid}: ${type}`);
      const end = (signal: string, graceMs: number) => deeds.push(`end ${pid}: ${signal} ${graceMs}`);
      const nextMaster = { pid, tell, end } as unknown as NextMaster;
      nextMasters.push(nextMaster);
      return nextMaster;
    },
    reclaim: (pid) => deeds.push(`reclaim from ${pid}`),
  });
  onEnd(() => upgrading.abandon('SIGTERM'));
  const begin = (isMasterStarting = false): Promise<UpgradeResult> => {
    const answer = deferred<UpgradeResult>();
    answer.promise.catch(() => {});
    upgrading.begin(answer, isMasterStarting);
    return answer.promise;
  };
  /** news of the next master that was started last */
  const hear = (...all: NextMasterNews[]) => {
    for (const news of all) upgrading.onNews({ type: 'next-master', nextMaster: nextMasters.at(-1)!, news });
  };
  const lines = (event: string) => logger.lines.filter((line) => line.event === event).map(({ fields }) => fields);
  return { upgrading, plan, stopping, deeds, pushed, nextMasters, begin, hear, lines };
}

describe('an upgrade', () => {
  it('hands over when the new master serves', async () => {
    const { upgrading, plan, stopping, deeds, begin, hear, lines } = make();
    const result = begin();
    expect(upgrading.isStarting).to.equal(true);
    expect(deeds).to.deep.equal(['reloads give way']);
    hear(ready, ready);
    expect(await result).to.include({ pid: 1 });
    expect(upgrading.isStarting).to.equal(false);
    expect(deeds.slice(1)).to.deep.equal(['tell 1: take-over', 'open to 1', 'stopping']);
    expect([...upgrading.passedOn]).to.deep.equal(['127.0.0.1:80']);
    expect(plan.wanted.ending).to.equal('graceful');
    // Idle connections move, and are not closed.
    expect(stopping.closesIdle).to.equal(false);
    expect(stopping.result.workers).to.equal(2);
    expect(lines('upgrade.ready')).to.have.length(1);
  });

  it('asked for again is the same one', async () => {
    const { upgrading, nextMasters, begin, hear, lines } = make();
    const [one, other] = [begin(), begin()];
    upgrading.begin(undefined, false);
    expect(lines('signal.ignored')).to.have.length(1);
    hear(ready);
    expect(await one).to.deep.equal(await other);
    // Also while connections move.
    expect(await begin()).to.deep.equal(await one);
    expect(nextMasters).to.have.length(1);
  });

  const failures: Array<[what: string, news: NextMasterNews, message: string]> = [
    ['ends', died, 'the new master ended: exit code 2'],
    ['says why it cannot', { type: 'failed', code: 'BAD_CONFIG', message: 'no' }, 'no (BAD_CONFIG)'],
    ['takes too long', { type: 'deadline' }, 'the new master did not serve within 31s (option bootTimeout and 30s)'],
    ['is stopped', { type: 'leaving' }, 'the new master was stopped'],
  ];
  for (const [what, news, message] of failures) {
    it(`fails when the new master ${what}, and may be tried again`, async () => {
      const { upgrading, deeds, begin, hear, lines } = make();
      const result = begin();
      hear(news);
      expect(await rejection(result)).to.include({ code: 'UPGRADE_FAILED', message });
      expect(deeds.filter((deed) => deed.endsWith(' 1') || deed.startsWith('end'))).to.deep.equal([
        ...(news === died ? ['close to 1'] : []),
        'end 1: SIGTERM 2500',
        'reclaim from 1',
      ]);
      expect(lines('upgrade.failed')).to.deep.equal([{ code: 'UPGRADE_FAILED', message }]);
      expect(upgrading.isStarting).to.equal(false);
      // What is still heard of it means nothing.
      hear(ready, { type: 'deadline' });
      const again = begin();
      hear(ready);
      expect(await again).to.include({ pid: 2 });
    });
  }

  it('is not begun where it is not possible', async () => {
    const { upgrading, begin } = make({ refusal: new EvyError('NOT_SUPPORTED', 'not here') });
    expect(await rejection(begin())).to.include({ code: 'NOT_SUPPORTED', message: 'not here' });
    expect(upgrading.isStarting).to.equal(false);
    const { begin: beginAnother } = make({ refusal: new Error('spawn EAGAIN') });
    expect(await rejection(beginAnother())).to.include({ code: 'UPGRADE_FAILED', message: 'spawn EAGAIN' });
  });

  it('is not begun while this master starts, or when it stops', async () => {
    const { plan, deeds, begin, nextMasters } = make();
    expect(await rejection(begin(true))).to.include({
      code: 'UPGRADE_FAILED',
      message: 'the master is still starting',
    });
    plan.end('graceful');
    expect(await rejection(begin())).to.include({ code: 'UPGRADE_FAILED', message: 'the master is stopping' });
    expect(nextMasters).to.deep.equal([]);
    expect(deeds).to.deep.equal([]);
  });

  it('is undone when the next master dies before this one has gone', () => {
    const { upgrading, plan, deeds, begin, hear } = make();
    void begin();
    hear(ready, died);
    expect(deeds.slice(-3)).to.deep.equal(['close to 1', 'end 1: SIGTERM 2500', 'reclaim from 1']);
    expect(plan.wanted.ending).to.equal('no');
    expect([...upgrading.passedOn]).to.deep.equal([]);
  });

  it('is not undone when the next master was stopped', () => {
    const { upgrading, plan, deeds, begin, hear } = make();
    void begin();
    hear(ready, { type: 'leaving' }, died);
    expect(deeds).to.include('close to 1');
    expect(deeds).not.to.include('reclaim from 1');
    expect(plan.wanted.ending).to.equal('graceful');
    expect([...upgrading.passedOn]).to.deep.equal(['127.0.0.1:80']);
  });

  it('that fails after this master was told to stop does not make it serve again', () => {
    const { plan, stopping, deeds, begin, hear } = make();
    void begin();
    hear(ready);
    stopping.hurry(undefined);
    hear(died);
    expect(plan.wanted.ending).to.equal('graceful');
    expect(deeds).not.to.include('reclaim from 1');
  });

  it('goes with a master that stops', async () => {
    const { upgrading, deeds, begin } = make();
    const result = begin();
    upgrading.abandon('SIGQUIT');
    expect(await rejection(result)).to.include({ code: 'UPGRADE_FAILED' });
    expect(deeds[1]).to.equal('end 1: SIGQUIT 2500');
    upgrading.abandon('SIGQUIT');
    expect(deeds).to.have.length(3);
  });

  it('leaves a reload to whoever serves in the end', async () => {
    const reload = () => ({ type: 'reload', answer: deferred<ReloadResult>() }) as const;
    const done = make();
    void done.begin();
    const passedOn = reload();
    done.upgrading.hold(passedOn);
    done.hear(ready);
    expect(done.deeds.slice(1, 3)).to.deep.equal(['tell 1: take-over', 'tell 1: reload']);
    expect(await rejection(passedOn.answer.promise)).to.include({ code: 'RELOAD_SUPERSEDED' });
    const failed = make();
    void failed.begin();
    const kept = reload();
    failed.upgrading.hold(kept);
    failed.hear(died);
    expect(failed.pushed).to.deep.equal([kept]);
  });
});
