import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { connect } from '../../helpers/raw-client.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { announcesClose, text } from '../../helpers/response-reader.ts';
import { answering, answerOf, ask, crewOf, expectNoLoss, light, moreAnswers, serve, underLoad } from './serving.ts';
import type { Worker } from './serving.ts';

/** Serves well, but: 500 for `/sick`, dies of `/crash`, blocks its event loop after `/block`. */
const sick = `
${answering('two').replace('export default', 'const well =')}
export default (env, startResponse) => {
  if (env.PATH_INFO === '/sick') throw new Error('sick');
  if (env.PATH_INFO === '/crash') setImmediate(() => { throw new Error('crashed'); });
  if (env.PATH_INFO === '/block') {
    setInterval(() => { for (const end = Date.now() + 400; Date.now() < end; ); }, 10);
  }
  return well(env, startResponse);
};`;

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

const config = (options: object = {}) =>
  JSON.stringify({ app: 'app.mjs', port: 0, workers: 2, bake: '1h', ...options });

async function baking(options?: object): Promise<{ evy: EvyProcess; before: Worker[] }> {
  const cwd = await tempFolder({ 'app.mjs': answering('one'), 'evy.config.json': config(options) });
  const evy = await serve([], { cwd });
  const before = await crewOf(evy, [1, 1]);
  await writeFiles(cwd, { 'app.mjs': sick });
  evy.signal('SIGHUP');
  await evy.until('reload.live');
  await crewOf(evy, [1, 1, 2, 2]);
  await waitFor('the new ones alone', async () => (await answerOf({ port: evy.port })) === 'two');
  return { evy, before };
}

async function expectTakenBack(evy: EvyProcess, before: Worker[], reason: RegExp): Promise<void> {
  const back = await evy.until('reload.rolled-back');
  expect(back).to.include({ level: 'error', generation: 2, code: 'RELOAD_ROLLED_BACK' });
  expect(back.message).to.match(reason);
  expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
  expect(await answerOf({ port: evy.port })).to.equal('one');
  expect(evy.seen('worker.resumed')).to.have.length(2);
  expect(evy.seen('reload.done')).to.deep.equal([]);
  expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
}

describe('a release that bakes', () => {
  it('is taken back when too many of its answers are errors, without losing a request of others', async function () {
    const { evy, before } = await baking();
    const load = await underLoad(evy, light);
    // As fast as the load: about every second request fails.
    await waitFor(
      'the verdict',
      async () => {
        await ask({ port: evy.port }, '/sick');
        return evy.seen('reload.rolled-back').length > 0;
      },
      { everyMs: 1 },
    );
    await moreAnswers(load);
    expectNoLoss(await load.stop());
    await expectTakenBack(evy, before, /responses were 5xx .* more than 5 % \(option bakeMaxErrorRate\)$/);
  });

  it('gives its connections to the old workers when it is taken back', async function () {
    const { evy, before } = await baking();
    const clients = await Promise.all(Array.from({ length: 6 }, () => connect({ port: evy.port })));
    const first = await Promise.all(clients.map(async (client) => text(await client.request(request))));
    // An old one may still have been about to stop accepting.
    const ofNew = first.filter((answer) => answer === 'two').length;
    expect(ofNew).to.be.above(0);
    const isBack = async () => {
      await ask({ port: evy.port }, '/sick');
      return evy.seen('reload.rolled-back').length > 0;
    };
    await waitFor('the verdict', isBack, { everyMs: 1 });
    for (const client of clients) {
      await waitFor('an answer of the old one', async () => {
        const answer = await client.request(request);
        expect(announcesClose(answer)).to.equal(false);
        return text(answer) === 'one';
      });
    }
    await crewOf(evy, [1, 1]);
    const moves = evy.seen('connections.moved');
    expect(moves.reduce((sum, { moved }) => sum + (moved as number), 0)).to.be.at.least(ofNew);
    await expectTakenBack(evy, before, /responses were 5xx/);
  });

  it('is taken back when its workers die', async () => {
    const { evy, before } = await baking({ bakeMaxCrashes: 0 });
    await ask({ port: evy.port }, '/crash').catch(() => {});
    await expectTakenBack(evy, before, /^a worker died, which is more than 0 \(option bakeMaxCrashes\)$/);
  });

  it('is taken back when its event loops are late', async function () {
    const { evy, before } = await baking({ bakeMaxLag: '100ms' });
    await ask({ port: evy.port }, '/block');
    await evy.until('reload.rolled-back');
    await expectTakenBack(evy, before, /ms late, which is more than 100ms \(option bakeMaxLag\)$/);
  });
});
