/** Ten minutes of chaos in all, under another seed each time; a failure names it, and `npm run chaos -- --seed` repeats it. */
import { randomInt } from 'node:crypto';
import { expect } from 'chai';
import { runChaos } from './chaos.ts';
import { stepText } from './steps.ts';

const seed = randomInt(1, 1_000_000);

describe('ten minutes of chaos', () => {
  for (const kind of ['wsgi', 'fetch', 'node'] as const) {
    it(`cost only what killed processes held: ${kind}, seed ${seed}`, async () => {
      const { steps, counts, problems, log } = await runChaos({ seed, durationMs: 200_000, kind });
      const context = problems.length === 0 ? '' : `${steps.map(stepText).join('\n')}\n${log}`;
      expect(problems, context).to.deep.equal([]);
      expect(counts.wrong + counts.refused).to.equal(0);
    });
  }
});
