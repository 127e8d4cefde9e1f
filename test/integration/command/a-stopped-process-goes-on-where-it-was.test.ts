import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { text } from '../../helpers/response-reader.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import {
  answering,
  answerOf,
  beIdle,
  crewOf,
  echo,
  expectNoLoss,
  expectUnnoticed,
  light,
  moreAnswers,
  onTwo,
  serve,
  underLoad,
} from './serving.ts';

const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

const loadsInSteps = `
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
writeFileSync('begun', '');
while (!existsSync('go')) await setTimeout(10);
writeFileSync('loaded', '');
`;

describe('SIGSTOP and CONT', () => {
  it('of the master: its workers serve on, and what was asked of it meanwhile is done after that', async function () {
    const evy = await serve([...onTwo, echo]);
    const load = await underLoad(evy, light);
    evy.signal('SIGSTOP');
    await moreAnswers(load, 300);
    evy.signal('SIGHUP');
    await moreAnswers(load, 300);
    expect(evy.seen('reload.started')).to.deep.equal([]);
    evy.signal('SIGCONT');
    await evy.until('reload.done');
    expectUnnoticed(await load.stop());
    await crewOf(evy, [2, 2]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('of the master for longer than a boot may take: a worker that was ready in time is', async function () {
    const bootTimeoutMs = 6_000;
    const cwd = await tempFolder({ 'app.mjs': answering('old') });
    const evy = await serve([...onTwo, '--workers', '1', '--boot-timeout', `${bootTimeoutMs}ms`, 'app.mjs'], { cwd });
    await writeFiles(cwd, { 'app.mjs': `${loadsInSteps}${answering('new')}` });
    const startedAtMs = performance.now();
    evy.signal('SIGHUP');
    await waitFor('the boot', () => existsSync(join(cwd, 'begun')));
    evy.signal('SIGSTOP');
    await writeFiles(cwd, { go: '' });
    await waitFor('the end of the boot', () => existsSync(join(cwd, 'loaded')));
    // The deadline is what this is about: it has to pass.
    await waitFor('the deadline', () => performance.now() > startedAtMs + bootTimeoutMs + 1_000, {
      withinMs: 2 * bootTimeoutMs,
    });
    evy.signal('SIGCONT');
    await evy.until('reload.done');
    expect(evy.seen('worker.killed')).to.deep.equal([]);
    expect(await answerOf({ port: evy.port })).to.equal('new');
  });

  it('of a worker: the others take what is new, and what it holds waits for it', async function () {
    const evy = await serve([...onTwo, echo]);
    const { port } = evy;
    const idle = await Promise.all(Array.from({ length: 8 }, () => beIdle({ port })));
    const [first, second] = await crewOf(evy, [1, 1]);
    process.kill(first!.pid, 'SIGSTOP');
    const answers = idle.map((client) => client.request(get));
    const load = await underLoad(evy, light);
    await moreAnswers(load, 200);
    expectNoLoss(await load.stop());
    process.kill(first!.pid, 'SIGCONT');
    for (const answer of await Promise.all(answers)) expect(text(answer)).to.equal('echo');
    for (const client of idle) client.close();
    expect(await crewOf(evy, [1, 1])).to.deep.equal([first, second]);
  });
});
