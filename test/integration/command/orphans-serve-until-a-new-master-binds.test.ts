import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import type { Target } from '../../helpers/raw-client.ts';
import { announcesClose, text } from '../../helpers/response-reader.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import {
  answering,
  answerOf,
  beginSlow,
  beIdle,
  crewOf,
  echo,
  expectNoLoss,
  hasEnded,
  light,
  moreAnswers,
  onTwo,
  refusalOf,
  serve,
  slow,
  underLoad,
} from './serving.ts';
import { end } from './upgrading.ts';

const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

async function killServeAndFollow(bind: string, targetOf: (port: number) => Target): Promise<void> {
  const folder = await tempFolder();
  const first = await serve(['--bind', bind, '--workers', '2', '--orphans', 'serve', slow]);
  const [address] = first.addresses;
  const target = targetOf(address!.port ?? 0);
  const workers = await crewOf(first, [1, 1]);
  const busy = await beginSlow(target, join(folder, 'gate'));
  const idle = await beIdle(target);
  first.signal('SIGKILL');
  await waitFor('the orphans', () => first.seen('worker.orphaned', ({ serves }) => serves === true).length === 2);
  // Old connections and new ones are served as before.
  expect(announcesClose(await idle.request(get))).to.equal(false);
  for (let times = 0; times < 10; times += 1) expect(await answerOf(target)).to.equal('at once');
  for (const { pid } of workers) expect(await hasEnded(pid)).to.equal(false);

  const again = bind.startsWith('unix:') ? bind : `127.0.0.1:${address!.port}`;
  const second = await serve(['--bind', again, '--workers', '2', slow]);
  expect(await answerOf(target)).to.equal('at once');
  // Who was idle gets an answer, and is told that it is the last one.
  expect(announcesClose(await idle.request(get))).to.equal(true);
  idle.close();
  await writeFiles(folder, { gate: '' });
  expect(text(await busy.response())).to.equal('begun,done');
  busy.close();
  for (const { pid } of workers) await waitFor(`the end of worker ${pid}`, () => hasEnded(pid));
  expect(await answerOf(target)).to.equal('at once');
  expect(await second.stop()).to.deep.equal({ code: 0, signal: null });
}

describe('workers of a killed master, with --orphans serve', () => {
  it('serve on until a new master binds their port', async function () {
    await killServeAndFollow('127.0.0.1:0', (port) => ({ port }));
  });

  it('serve on until a new master binds their path', async function () {
    const path = join(await tempFolder(), 'evy.sock');
    await killServeAndFollow(`unix:${path}`, () => ({ path }));
  });

  it('lose nothing of a load, and stay while other addresses are wanted', async function () {
    const evy = await serve(['--port', '0', '--workers', '2', '--orphans', 'serve', echo]);
    const { port } = evy;
    const workers = await crewOf(evy, [1, 1]);
    const load = await underLoad(evy, light);
    evy.signal('SIGKILL');
    await waitFor('the orphans', () => evy.seen('worker.orphaned').length === 2);
    await moreAnswers(load, 200);
    // In use by somebody who is no orphan: they are asked and stay.
    const other = await serve(['--port', '0', '--workers', '1', echo]);
    const refused = runEvy(['--port', String(other.port), '--workers', '1', echo]);
    expect((await refused.exit).code).to.equal(3);
    await moreAnswers(load, 200);
    expectNoLoss(await load.stop());
    for (const { pid } of workers) process.kill(pid, 'SIGTERM');
    for (const { pid } of workers) await waitFor(`the end of worker ${pid}`, () => hasEnded(pid));
    expect(await refusalOf({ port })).to.equal('ECONNREFUSED');
  });

  it('leave to a new master whose upgrade their own did not live to see', async function () {
    const cwd = await tempFolder({ 'app.mjs': answering('old') });
    const evy = await serve([...onTwo, '--orphans', 'serve', 'app.mjs'], { cwd });
    const { port } = evy;
    const workers = await crewOf(evy, [1, 1]);
    await writeFiles(cwd, { 'app.mjs': `${bootsInSteps}${answering('new')}` });
    evy.signal('SIGUSR2');
    const { successor } = await evy.until('upgrade.started');
    await waitFor('the boot', () => existsSync(join(cwd, 'begun')));
    evy.signal('SIGKILL');
    await waitFor('the orphans', () => evy.seen('worker.orphaned', ({ serves }) => serves === true).length === 2);
    expect(await answerOf({ port })).to.equal('old');
    await writeFiles(cwd, { go: '' });
    for (const { pid } of workers) await waitFor(`the end of worker ${pid}`, () => hasEnded(pid));
    expect(await answerOf({ port })).to.equal('new');
    await end(successor as number);
  });
});

const bootsInSteps = `
import { existsSync, writeFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
writeFileSync('begun', '');
while (!existsSync('go')) await setTimeout(10);
`;
