import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { crewOf, echo, expectNoLoss, light, moreAnswers, onTwo, serve, underLoad } from './serving.ts';
import { end, upgrade } from './upgrading.ts';

/** The limit of open files of the master alone, or as it was. */
async function limit(evy: EvyProcess, files: number): Promise<void> {
  await promisify(execFile)('prlimit', ['--pid', String(evy.pid), `--nofile=${files}:`]);
}

describe('a master without a free file descriptor', () => {
  it('serves on with what it has, and replaces, reloads and upgrades when there are some again', async function () {
    const evy = await serve([...onTwo, echo]);
    const [victim, survivor] = await crewOf(evy, [1, 1]);
    const load = await underLoad(evy, light);
    await limit(evy, (await readdir(`/proc/${evy.pid}/fd`)).length);

    evy.signal('SIGUSR2');
    const { message } = await evy.until('upgrade.failed');
    expect(message).to.include('EMFILE');
    evy.signal('SIGHUP');
    await evy.until('reload.failed');
    expect(await crewOf(evy, [1, 1])).to.deep.equal([victim, survivor]);
    await moreAnswers(load);
    expectNoLoss(await load.stop());

    // A worker less gives a few descriptors back; so there are to be less.
    await limit(evy, 12);
    process.kill(victim!.pid, 'SIGKILL');
    const { error } = await evy.until('worker.exit', { where: (line) => String(line.error).includes('EMFILE') });
    expect(error).to.include('fork failed');
    const again = await underLoad(evy, light);
    await limit(evy, 1024);
    const crew = await crewOf(evy, [1, 1]);
    expect(crew).to.deep.include(survivor);
    expectNoLoss(await again.stop());
    const { pid } = await upgrade(evy);
    await end(pid);
  });
});
