import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';
import { bakes } from './baking.ts';
import { answering, crewOf, expectNoLoss, light, moreAnswers, serve, underLoad } from './serving.ts';

describe('a release that bakes well', () => {
  it('serves alone while the old one stands by, which goes after the time', () =>
    bakes(['--port', '0'], ({ port }) => ({ port })));

  it('loses nothing under load', async function () {
    const cwd = await tempFolder({ 'app.mjs': answering('one') });
    const evy = await serve(['app.mjs', '--port', '0', '-w', '2', '--bake', '1s'], { cwd });
    const load = await underLoad(evy, light);
    for (let times = 1; times <= 2; times += 1) {
      evy.signal('SIGHUP');
      await evy.until('reload.done', { times });
    }
    await moreAnswers(load);
    expectNoLoss(await load.stop());
    await crewOf(evy, [3, 3]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
