/** A reload whose release bakes well, seen by a client of the old workers and by new ones. */
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { announcesClose, text } from '../../helpers/response-reader.ts';
import type { Target } from '../../helpers/raw-client.ts';
import type { EvyProcess, RunOptions } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answering, answerOf, beIdle, crewOf, serve } from './serving.ts';

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

export async function bakes(
  args: readonly string[],
  target: (evy: EvyProcess) => Target,
  options: RunOptions = {},
): Promise<void> {
  const cwd = await tempFolder({ 'app.mjs': answering('one') });
  const evy = await serve(['app.mjs', '-w', '2', '--bake', '5s', '--grace', '1s', ...args], { cwd, ...options });
  const client = await beIdle(target(evy));
  await writeFiles(cwd, { 'app.mjs': answering('two') });
  evy.signal('SIGHUP');
  await evy.until('reload.live');
  expect(evy.seen('reload.done')).to.deep.equal([]);
  // New clients get to the new release, and whoever has a connection keeps it.
  await waitFor('the new ones alone', async () => (await answerOf(target(evy))) === 'two');
  const answer = await client.request(request);
  expect(text(answer)).to.equal('one');
  expect(announcesClose(answer)).to.equal(false);
  const done = await evy.until('reload.done');
  expect(done).to.include({ generation: 2, replaced: 2, cut: 0 });
  // It stayed idle: where it could not move it was closed when the grace time ended.
  expect((done.moved as number) + (done.closed as number)).to.equal(1);
  await crewOf(evy, [2, 2]);
  expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
}
