/** As it is built: what is loaded later on has the same classes as what a program imports. */
import { join } from 'node:path';
import { expect } from 'chai';
import { projectRoot, tempFolder } from '../helpers/files.ts';
import { runEvy } from '../helpers/run-evy.ts';

const program = `
import { writeFileSync } from 'node:fs';
import { createMaster, EvyError, ReloadError } from ${JSON.stringify(join(projectRoot, 'dist', 'index.js'))};
const master = createMaster({ app: 'app.mjs', port: 0, workers: 1 });
await master.start();
writeFileSync('app.mjs', 'throw new Error("broken")');
const failedReload = await master.reload().catch((error) => error);
await master.stop();
const failedStart = await createMaster({ app: 'app.mjs', port: 0, workers: 1 }).start().catch((error) => error);
const is = (error, Class) => error instanceof Class;
console.log(is(failedReload, ReloadError), is(failedReload, EvyError), is(failedStart, EvyError), failedStart.code);
process.exit();`;

describe('what a master rejects with', () => {
  it('is an instance of the classes that evy exports', async () => {
    const app = 'export default (env, startResponse) => { startResponse("200 OK", []); return []; };';
    const folder = await tempFolder({ 'program.mjs': program, 'app.mjs': app });
    const evy = runEvy([], { program: join(folder, 'program.mjs'), cwd: folder });
    expect(await evy.exit).to.deep.equal({ code: 0, signal: null });
    expect(evy.output('stdout')).to.equal('true true true APP_LOAD_FAILED\n');
  });
});
