/** A short run of chaos under one seed; `npm run chaos` goes on for as long as one likes. */
import { expect } from 'chai';
import { processesWith, runId, runVariable, sendSignal } from '../helpers/processes.ts';
import { runChaos } from './chaos.ts';
import { stepText } from './steps.ts';

describe('ten seconds of chaos', () => {
  it('cost only what killed processes held, and leave the server as it was', async function () {
    this.timeout(180_000);
    const { steps, counts, problems, log } = await runChaos({ seed: 7, durationMs: 10_000, kind: 'wsgi' });
    const context = problems.length === 0 ? '' : `${steps.map(stepText).join('\n')}\n${log}`;
    expect(problems, context).to.deep.equal([]);
    expect(counts.wrong + counts.refused).to.equal(0);
    expect(counts.answered).to.be.greaterThan(100);
  });

  it('would have shown a connection that ended without a reason', async function () {
    this.timeout(180_000);
    // Workers that die behind the back of the record: to the clients that is the server's fault.
    const killAll = async () => {
      const found = await processesWith(runVariable, runId);
      for (const { pid } of found.filter(({ command }) => command.startsWith('evy worker'))) sendSignal(pid, 'SIGKILL');
    };
    const { problems } = await runChaos({ seed: 7, durationMs: 10_000, kind: 'wsgi', onStep: () => void killAll() });
    expect(problems.join('\n')).to.include('no killed process held it');
  });
});
