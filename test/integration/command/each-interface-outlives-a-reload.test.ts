import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { projectRoot, readText, tempFolder } from '../../helpers/files.ts';
import { header } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import {
  answerOf,
  application,
  ask,
  crewOf,
  expectNoLoss,
  expectUnnoticed,
  light,
  moreAnswers,
  onTwo,
  reload,
  serve,
  underLoad,
} from './serving.ts';

const middleware = application('adds-a-header');
const kinds = [
  { name: 'a wsgi application with middleware', hooked: 'wsgi', args: [application('hooks-on-request'), middleware] },
  { name: 'a Hono application', hooked: 'hono', args: [application('hono')] },
  { name: 'an Express application', hooked: 'express', args: [application('express')] },
  { name: 'what looks like a Koa application', hooked: 'koa', args: [application('koa-like')] },
];

/** A request whose post hook tells of it. */
async function expectHook(evy: EvyProcess, hooked: string, times: number): Promise<void> {
  expect(await answerOf({ port: evy.port }, '/hook')).to.equal('hooked');
  await waitFor('the post hook', () => {
    return (
      evy
        .output('stdout')
        .split('\n')
        .filter((line) => line === `hook of ${hooked}, sent`).length === times
    );
  });
}

describe('under light load, a reload loses nothing and post hooks run before and after it', () => {
  for (const { name, hooked, args } of kinds) {
    it(`with ${name}`, async () => {
      const evy = await serve([...onTwo, ...args]);
      const load = await underLoad(evy, light);
      await expectHook(evy, hooked, 1);
      await reload(evy);
      await crewOf(evy, [2, 2]);
      await moreAnswers(load);
      await expectHook(evy, hooked, 2);
      const through = header(await ask({ port: evy.port }), 'X-Through');
      expect(through).to.equal(args.includes(middleware) ? 'middleware' : undefined);
      const isNode = hooked === 'express' || hooked === 'koa';
      (isNode ? expectNoLoss : expectUnnoticed)(await load.stop());
      expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    });
  }
});

describe('a TypeScript application', () => {
  it('runs and is reloaded: by this Node itself, or else by the tsx that is installed beside it', async () => {
    const folder = await tempFolder({ 'typed.ts': await readText(application('typed.ts')) });
    await symlink(join(projectRoot, 'node_modules'), join(folder, 'node_modules'));
    const evy = await serve([...onTwo, 'typed.ts'], { cwd: folder });
    expect(await answerOf({ port: evy.port })).to.equal('typed');
    await reload(evy);
    await crewOf(evy, [2, 2]);
    expect(await answerOf({ port: evy.port })).to.equal('typed');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
