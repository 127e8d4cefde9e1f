import { expect } from 'chai';
import { fixture } from '../helpers/files.ts';
import { startLoad } from '../helpers/load-process.ts';
import { runEvy } from '../helpers/run-evy.ts';
import { waitFor } from '../helpers/wait-for.ts';
import { answerOf, expectUnnoticed, hasEnded, light, moreAnswers, onlyTheMasterAccepts } from './command/serving.ts';
import { end } from './command/upgrading.ts';

describe('a program that embeds a master', () => {
  it('is started again by upgrade(), told when the new one serves, and ends; no client notices', async function () {
    const program = runEvy(['0'], { program: fixture('programs', 'upgrades-itself.mjs') });
    const { port } = (await program.until('program.ready')) as unknown as { port: number };
    const load = await startLoad({ port, expect: 'echo-id', countHeader: 'X-Pid', ...light });
    await moreAnswers(load);
    program.signal('SIGUSR2');
    const { pid } = (await program.until('program.upgraded')) as unknown as { pid: number };
    await program.until('program.stopped');
    await waitFor('the end of the old program', () => hasEnded(program.pid));
    await moreAnswers(load);
    expectUnnoticed(await load.stop());
    expect(program.seen('program.ready').map((line) => line.pid)).to.deep.equal([program.pid, pid]);
    expect(program.seen('program.upgrade:started')[0]?.value).to.deep.equal({ pid });
    expect(program.seen('program.upgrade:done')[0]?.value).to.include({ pid });
    await end(pid);
  });

  it('serves on when its sockets cannot be inherited', async () => {
    const env = onlyTheMasterAccepts;
    const program = runEvy(['0'], { program: fixture('programs', 'upgrades-itself.mjs'), env });
    const { port } = (await program.until('program.ready')) as unknown as { port: number };
    program.signal('SIGUSR2');
    expect(await program.until('program.failed')).to.include({ code: 'NOT_SUPPORTED' });
    await program.until('program.upgrade:failed');
    expect(await answerOf({ port })).to.equal('echo');
    expect(await program.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
