import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import {
  answering,
  answerOf,
  crewOf,
  expectUnnoticed,
  light,
  moreAnswers,
  onTwo,
  serve,
  underLoad,
} from './serving.ts';

const superseded = { generation: 2, code: 'RELOAD_SUPERSEDED' };
/** Says that its code was read, so that the file may be written anew. */
const never = "{ console.log('never ready'); await new Promise(() => {}); }";
/** Boots the first time, and never again. */
const firstOnly = `
import { existsSync, writeFileSync } from 'node:fs';
const marker = new URL('started', import.meta.url);
if (existsSync(marker)) ${never}
writeFileSync(marker, '');
${answering('two')}`;

/** A reload to `second` that stays where `replaced` workers are new and the next one does not boot; then HUP with a third release. */
async function supersede(second: string, replaced: number): Promise<void> {
  const cwd = await tempFolder({ 'app.mjs': answering('one') });
  const evy = await serve([...onTwo, 'app.mjs'], { cwd });
  const load = await underLoad(evy, light);
  await writeFiles(cwd, { 'app.mjs': second });
  evy.signal('SIGHUP');
  await waitFor('a worker that is never ready', () => evy.output('stdout').includes('never ready'));
  expect(evy.seen('worker.ready', ({ generation }) => generation === 2)).to.have.length(replaced);
  await writeFiles(cwd, { 'app.mjs': answering('three') });
  evy.signal('SIGHUP');
  expect(await evy.until('reload.failed')).to.include(superseded);
  expect(await evy.until('reload.done')).to.include({ generation: 3 });
  await crewOf(evy, [3, 3]);
  await moreAnswers(load);
  expectUnnoticed(await load.stop());
  expect(await answerOf({ port: evy.port })).to.equal('three');
  expect(evy.seen('reload.failed')).to.have.length(1);
  expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
}

describe('HUP during a reload', () => {
  it('supersedes it while its first worker boots', () => supersede(never, 0));
  it('supersedes it when one worker is replaced already', () => supersede(firstOnly, 1));
});
