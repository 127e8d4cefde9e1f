/** Reloads in a row under load, and what they leave behind: a few in `npm test`, a hundred in `npm run test:long`. */
import { readdir } from 'node:fs/promises';
import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';
import type { LoadResult } from '../../helpers/load-client.ts';
import type { LogLine } from '../../helpers/log-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { crewOf, echo, expectUnnoticed, moreAnswers, reload, serve, underLoad, type Worker } from './serving.ts';

const descriptorsOf = async (evy: EvyProcess) => (await readdir(`/proc/${evy.pid}/fd`)).length;

export function reloadsInARow(count: number): void {
  const reloads: LogLine[] = [];
  let result: LoadResult;
  let descriptorsBefore = 0;
  let descriptorsAfter = 0;
  let crew: Worker[] = [];
  before(async function () {
    // A configuration file that is a program: its process must not stay either.
    const options = { app: echo, port: 0, workers: 2 };
    const cwd = await tempFolder({ 'evy.config.mjs': `export default ${JSON.stringify(options)}` });
    const evy = await serve([], { cwd });
    const load = await underLoad(evy, { keepAlive: 50, reconnecting: 4, paceMs: 15 });
    descriptorsBefore = await descriptorsOf(evy);
    for (let times = 1; times <= count; times += 1) reloads.push(await reload(evy));
    // The old ones have left, too: nothing but the last generation is there.
    crew = await crewOf(evy, [count + 1, count + 1]);
    await moreAnswers(load);
    result = await load.stop();
    descriptorsAfter = await descriptorsOf(evy);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('lose no request, give no wrong answer, and close no connection, announced or not', () => {
    expectUnnoticed(result);
  });

  it('replace both workers each time', () => {
    expect(reloads.map(({ generation, replaced }) => [generation, replaced])).to.deep.equal(
      Array.from({ length: count }, (_, index) => [index + 2, 2]),
    );
    // Each of the processes has answered, so the load did go through all of the reloads.
    expect(Object.keys(result.seen)).to.have.length(2 * count + 2);
  });

  it('leave as many processes and open files behind as there were before', () => {
    expect(crew).to.have.length(2);
    expect(descriptorsAfter).to.equal(descriptorsBefore).and.to.be.greaterThan(0);
  });
}
