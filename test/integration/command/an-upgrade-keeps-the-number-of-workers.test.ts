import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { crewOf, echo, serve } from './serving.ts';
import { end, upgrade } from './upgrading.ts';

const config = (workers: number): string => JSON.stringify({ app: echo, port: 0, workers });

describe('an upgrade', () => {
  it('keeps a number of workers that was set by hand, unless the configuration has another one', async function () {
    const cwd = await tempFolder({ 'evy.config.json': config(1) });
    const evy = await serve([], { cwd });
    evy.signal('SIGTTIN');
    await crewOf(evy, [1, 1]);
    const first = await upgrade(evy);
    await crewOf(evy, [1, 1], first.pid);
    process.kill(first.pid, 'SIGTTIN');
    await crewOf(evy, [1, 1, 1], first.pid);
    const second = await upgrade(evy, first.pid);
    await crewOf(evy, [1, 1, 1], second.pid);
    await writeFiles(cwd, { 'evy.config.json': config(2) });
    const third = await upgrade(evy, second.pid);
    await crewOf(evy, [1, 1], third.pid);
    expect(evy.seen('upgrade.failed')).to.deep.equal([]);
    await end(third.pid);
  });
});
