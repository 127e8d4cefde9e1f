import { expect } from 'chai';
import { deferred } from '../../../src/master/outcomes/queue.ts';
import type { Command } from '../../../src/master/loop/commands.ts';
import type { ReloadResult, UpgradeResult } from '../../../src/master/outcomes/results.ts';
import type { Successor, SuccessorNews } from '../../../src/master/upgrade/next-master.ts';
import { Upgrading } from '../../../src/master/upgrade/upgrading.ts';
import { EvyError } from '../../../src/shared/errors.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { recordingLogger, rejection } from '../helpers/fake-crew.ts';

const ready: SuccessorNews = { type: 'ready', keys: ['127.0.0.1:80'], moving: true };
const died: SuccessorNews = { type: 'gone', how: 'exit code 2' };

/** Upgrades to new masters that only note what they are told; their process ids are 1, 2, and so on. */
function make({ refusal }: { refusal?: Error } = {}) {
  const logger = recordingLogger();
  const deeds: string[] = [];
  const pushed: Command[] = [];
  const successors: Successor[] = [];
  const upgrading = new Upgrading({
    logger,
    emit: () => {},
    push: (command) => pushed.push(command),
    launch: () => {
      if (refusal) throw refusal;
      const pid = successors.length + 1;
      const tell = ({ type }: { type: string }) => deeds.push(`tell ${pid}: ${type}`);
      const undo = (signal: string, graceMs: number) => deeds.push(`undo ${pid}: ${signal} ${graceMs}`);
      const successor = { pid, tell, undo } as unknown as Successor;
      successors.push(successor);
      return successor;
    },
    handOver: ({ pid }, keys, moving) => deeds.push(`hand over to ${pid}: ${keys.join()} ${moving}`),
    takeBack: ({ pid }) => deeds.push(`take back from ${pid}`),
    gone: ({ pid }) => deeds.push(`gone: ${pid}`),
    times: () => ({ bootTimeoutMs: 1_000, graceMs: 500 }),
  });
  onEnd(() => upgrading.abandon('SIGTERM'));
  const begin = (): Promise<UpgradeResult> => {
    const answer = deferred<UpgradeResult>();
    answer.promise.catch(() => {});
    upgrading.begin(answer);
    return answer.promise;
  };
  /** news of the new master that was started last */
  const hear = (...news: SuccessorNews[]) => news.forEach((one) => upgrading.take(successors.at(-1)!, one));
  const lines = (event: string) => logger.lines.filter((line) => line.event === event).map(({ fields }) => fields);
  return { upgrading, deeds, pushed, successors, begin, hear, lines };
}

describe('an upgrade', () => {
  it('hands over when the new master serves', async () => {
    const { upgrading, deeds, begin, hear, lines } = make();
    const result = begin();
    expect(upgrading.isStarting).to.equal(true);
    expect(deeds).to.deep.equal([]);
    hear(ready, ready);
    expect(await result).to.include({ pid: 1 });
    expect(upgrading.isStarting).to.equal(false);
    expect(deeds).to.deep.equal(['tell 1: take-over', 'hand over to 1: 127.0.0.1:80 true']);
    expect(lines('upgrade.ready')).to.have.length(1);
  });

  it('asked for again is the same one', async () => {
    const { upgrading, successors, begin, hear, lines } = make();
    const [one, other] = [begin(), begin()];
    upgrading.begin(undefined);
    expect(lines('signal.ignored')).to.have.length(1);
    hear(ready);
    expect(await one).to.deep.equal(await other);
    // Also while connections move.
    expect(await begin()).to.deep.equal(await one);
    expect(successors).to.have.length(1);
  });

  const failures: Array<[what: string, news: SuccessorNews, message: string]> = [
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
      expect(deeds.filter((deed) => !deed.startsWith('gone'))).to.deep.equal([
        'undo 1: SIGTERM 2500',
        'take back from 1',
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

  it('is taken back when the new master dies before the old one has gone, but not when it was stopped', () => {
    const taken = make();
    void taken.begin();
    taken.hear(ready, died);
    expect(taken.deeds).to.include.members(['gone: 1', 'take back from 1']);
    const stopped = make();
    void stopped.begin();
    stopped.hear(ready, { type: 'leaving' }, died);
    expect(stopped.deeds).to.include('gone: 1');
    expect(stopped.deeds).not.to.include('take back from 1');
  });

  it('goes with a master that stops', async () => {
    const { upgrading, deeds, begin } = make();
    const result = begin();
    upgrading.abandon('SIGQUIT');
    expect(await rejection(result)).to.include({ code: 'UPGRADE_FAILED' });
    expect(deeds[0]).to.equal('undo 1: SIGQUIT 2500');
    upgrading.abandon('SIGQUIT');
    expect(deeds).to.have.length(2);
  });

  it('leaves a reload to whoever serves in the end', async () => {
    const reload = () => ({ type: 'reload', answer: deferred<ReloadResult>() }) as const;
    const done = make();
    void done.begin();
    const passedOn = reload();
    done.upgrading.hold(passedOn);
    done.hear(ready);
    expect(done.deeds.slice(0, 2)).to.deep.equal(['tell 1: take-over', 'tell 1: reload']);
    expect(await rejection(passedOn.answer.promise)).to.include({ code: 'RELOAD_SUPERSEDED' });
    const failed = make();
    void failed.begin();
    const kept = reload();
    failed.upgrading.hold(kept);
    failed.hear(died);
    expect(failed.pushed).to.deep.equal([kept]);
  });
});
