import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { application, crewOf, expectNoLoss, moreAnswers, onTwo, serve, underLoad } from './serving.ts';

const deaths = [
  { death: 'exit', line: { code: 7, error: 'process.exit(7) was called' } },
  { death: 'signal', line: { signal: 'SIGSEGV' } },
  { death: 'throw', line: { code: 1, error: 'told to die' } },
];

describe('a worker that dies right after each start', () => {
  it('is replaced with growing delays while others serve on, and the log says why it died', async function () {
    const folder = await tempFolder();
    const evy = await serve([...onTwo, application('dies-as-a-file-says')], { env: { DEATH: join(folder, 'death') } });
    const [first, second] = await crewOf(evy, [1, 1]);
    // Killed while nobody is connected to it; what follows it never serves.
    await writeFiles(folder, { death: deaths[0]!.death });
    process.kill(second!.pid, 'SIGKILL');
    await evy.until('worker.exit', { where: ({ pid }) => pid === second!.pid });
    const load = await underLoad(evy, { keepAlive: 8, reconnecting: 0, paceMs: 10 });
    for (const [index, { death, line }] of deaths.entries()) {
      await writeFiles(folder, { death });
      const why = ({ code, signal, error }: Record<string, unknown>) => JSON.stringify({ code, signal, error });
      await evy.until('worker.exit', { where: (exit) => why(exit) === why(line) });
      await evy.until('worker.delayed', { times: index + 1 });
      await moreAnswers(load, 10);
    }
    const stacks = evy.seen('worker.crashed').map(({ stack }) => stack);
    expect(stacks[0]).to.match(/^Error: process\.exit\(7\) was called\n\s+at exit .*dies-as-a-file-says\.mjs/);
    expect(stacks.at(-1)).to.match(/^RangeError: told to die\n\s+at .*dies-as-a-file-says\.mjs/);
    const delays = evy.seen('worker.delayed').map(({ delayMs }) => delayMs as number);
    for (const [index, delay] of delays.slice(1).entries()) expect(delay).to.be.greaterThan(delays[index]! * 1.4);
    expect(await crewOf(evy, [1])).to.deep.equal([first]);

    await rm(join(folder, 'death'));
    await crewOf(evy, [1, 1]);
    await moreAnswers(load);
    const { seen, ...rest } = await load.stop();
    expect(seen[first!.pid]).to.be.greaterThan(0);
    expect(rest.ok).to.be.greaterThan(0);
    expectNoLoss({ seen, ...rest });
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
