import { expect } from 'chai';
import { Quiet } from '../../../src/shared/quiet.ts';
import { sayings, verdictOn, verdicts } from '../../../src/worker/watchdog/verdict.ts';
import type { Saying, Verdict } from '../../../src/worker/watchdog/verdict.ts';

const stuckMs = 30_000;
const tickMs = 1_000;

/** A main thread's day: at each second it beats ('.'), does not ('-'), or nobody runs for an hour ('z'). */
function day(course: string, isDebugged = false): string[] {
  let nowMs = 0;
  let verdict: Verdict = 'well';
  const quiet = new Quiet(tickMs, nowMs);
  const said: string[] = [];
  for (const [second, hour] of course.split('').entries()) {
    nowMs += hour === 'z' ? 3_600_000 : tickMs;
    quiet.tick(nowMs);
    if (hour === '.') quiet.heard();
    const next = verdictOn({ quietMs: quiet.ms, isDebugged }, stuckMs);
    const saying: Saying = sayings[verdict][next];
    if (saying !== 'none') said.push(`${saying} at ${second + 1}`);
    verdict = next;
  }
  return said;
}

describe('what an event loop that stands still is called', () => {
  const observed: Array<[quietMs: number, verdict: Verdict]> = [
    [0, 'well'],
    [9_999, 'well'],
    [10_000, 'busy'],
    [29_999, 'busy'],
    [30_000, 'stuck'],
    [3_600_000, 'stuck'],
  ];
  for (const [quietMs, verdict] of observed) {
    it(`${verdict} after ${quietMs} ms of 30 s`, () => {
      expect(verdictOn({ quietMs, isDebugged: false }, stuckMs)).to.equal(verdict);
    });
  }
  it('well, with a debugger attached', () => {
    expect(verdictOn({ quietMs: 3_600_000, isDebugged: true }, stuckMs)).to.equal('well');
  });

  it('is told once each', () => {
    expect(day('.'.repeat(100))).to.deep.equal([]);
    expect(day(`..${'-'.repeat(100)}`)).to.deep.equal(['busy at 12', 'stuck at 32']);
    expect(day(`..${'-'.repeat(12)}.${'-'.repeat(12)}..`)).to.deep.equal([
      'busy at 12',
      'recovered at 15',
      'busy at 25',
      'recovered at 28',
    ]);
    expect(day(`${'-'.repeat(40)}..`)).to.deep.equal(['busy at 10', 'stuck at 30', 'recovered at 41']);
    expect(day(`..${'-'.repeat(100)}`, true)).to.deep.equal([]);
  });

  it('is nothing while nobody runs: a stopped process, a machine asleep', () => {
    expect(day('..z.z.z..')).to.deep.equal([]);
    expect(day('..zzz..')).to.deep.equal([]);
    // What was quiet before goes on to count, the hour counts as two seconds.
    expect(day(`${'-'.repeat(8)}z-`)).to.deep.equal(['busy at 9']);
  });

  it('has a saying for each change, and none where nothing changes', () => {
    for (const verdict of verdicts) expect(sayings[verdict][verdict]).to.equal('none');
    for (const verdict of ['busy', 'stuck'] as const) expect(sayings[verdict].well).to.equal('recovered');
  });
});
