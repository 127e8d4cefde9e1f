import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { freePort } from '../../helpers/free-port.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { startLoad } from '../../helpers/load-process.ts';
import { crewOf, echo, expectUnnoticed, light, moreAnswers, refusalOf } from './serving.ts';

describe('a log file on a full disk', () => {
  it('costs lines, and no request, no reload and no stop', async function () {
    if (!existsSync('/dev/full')) this.skip();
    const port = await freePort();
    const args = ['--port', String(port), '--workers', '2', '--log-level', 'debug', '--log-file', '/dev/full', echo];
    const evy = runEvy(args);
    await waitFor('the port to be open', async () => (await refusalOf({ port })) === 'connected');
    const load = await startLoad({ port, expect: 'echo-id', countHeader: 'X-Pid', ...light });
    await moreAnswers(load);
    for (const generation of [2, 3]) {
      evy.signal('SIGHUP');
      await crewOf(evy, [generation, generation]);
      await moreAnswers(load);
    }
    expectUnnoticed(await load.stop());
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
