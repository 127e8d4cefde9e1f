import { existsSync } from 'node:fs';
import { readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { readText, tempFolder } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { echo, expectNoLoss, light, moreAnswers, onTwo, serve, underLoad } from './serving.ts';

describe('twenty rotations of the access log, under load', () => {
  it('lose no line', async function () {
    const folder = await tempFolder();
    const path = join(folder, 'access.log');
    const evy = await serve([echo, ...onTwo, '--access-log', path, '--log-format', 'combined']);
    const load = await underLoad(evy, light);
    for (let round = 1; round <= 20; round += 1) {
      await moreAnswers(load, 20);
      await rename(path, `${path}.${round}`);
      evy.signal('SIGUSR1');
      await waitFor('the new file', () => existsSync(path));
    }
    const result = await load.stop();
    expectNoLoss(result);
    await evy.stop();
    const files = await readdir(folder);
    const texts = await Promise.all(files.map((name) => readText(join(folder, name))));
    const lines = texts.flatMap((text) => text.split('\n').slice(0, -1));
    expect(files).to.have.length(21);
    expect(lines).to.have.length(result.ok);
    const line =
      /^127\.0\.0\.1 - - \[\d\d\/\w{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}\] "GET \S+ HTTP\/1\.1" 200 \d+ "-" "[^"]+"$/;
    expect(lines.filter((one) => !line.test(one))).to.deep.equal([]);
  });
});
