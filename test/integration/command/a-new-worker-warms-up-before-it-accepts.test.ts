import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { answerOf, crewOf, expectNoLoss, light, moreAnswers, serve, underLoad } from './serving.ts';

/** Answers 503 until `/warm` was asked for, and writes down that its post hook ran. */
const cold = (own: string, warmStatus: string) => `
import { appendFileSync } from 'node:fs';
let warm = false;
export default (env, startResponse) => {
  if (env.PATH_INFO === '/warm') {
    warm = true;
    env['evy.posthooks'].push([() => appendFileSync(new URL('hooks', import.meta.url), '${own} ')]);
    startResponse('${warmStatus}', []);
    return [];
  }
  startResponse(warm ? '200 OK' : '503 Cold', [['X-Pid', String(process.pid)]]);
  return [env.HTTP_X_LOAD_ID ?? '${own}'];
};
`;
const config = (path: string) =>
  JSON.stringify({ app: 'app.mjs', port: 0, workers: 2, warmup: ['HEAD:/warm', `GET:${path}`], accessLog: 'access' });

describe('a worker with warm-up requests', () => {
  it('answers them before it accepts anything, without access lines', async () => {
    const cwd = await tempFolder({ 'app.mjs': cold('one', '204 No Content'), 'evy.config.json': config('/warm?2') });
    const evy = await serve([], { cwd });
    const load = await underLoad(evy, light);
    await moreAnswers(load);
    expectNoLoss(await load.stop());
    expect(await readFile(join(cwd, 'hooks'), 'utf8')).to.equal('one one one one ');
    await evy.stop();
    const lines = await readFile(join(cwd, 'access'), 'utf8');
    expect(lines)
      .to.match(/"GET \/.* 200 /)
      .and.to.not.contain('/warm');
  });

  it('asks for a host that is answered for', async () => {
    const cwd = await tempFolder({ 'app.mjs': cold('one', '200 OK') });
    const args = ['app.mjs', '--port', '0', '-w', '1', '--warmup', 'GET:/warm', '--allowed-hosts', '.example.com'];
    const evy = await serve(args, { cwd });
    expect(await readFile(join(cwd, 'hooks'), 'utf8')).to.equal('one ');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('fails the reload when one is not answered well, and says which', async () => {
    const cwd = await tempFolder({ 'app.mjs': cold('one', '302 Found'), 'evy.config.json': config('/warm') });
    const evy = await serve([], { cwd });
    const before = await crewOf(evy, [1, 1]);
    await writeFiles(cwd, { 'app.mjs': cold('two', '418 Teapot') });
    evy.signal('SIGHUP');
    const failed = await evy.until('reload.failed');
    expect(failed).to.include({ generation: 2, code: 'WARM_UP_FAILED' });
    expect(failed.message).to.match(/^warm-up HEAD \/warm must be answered with 2xx or 3xx .* \(got 418/);
    expect(await crewOf(evy, [1, 1])).to.deep.equal(before);
    expect(await answerOf({ port: evy.port })).to.equal('one');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('fails the reload when it takes too long, and says at what', async () => {
    const cwd = await tempFolder({ 'app.mjs': cold('one', '200 OK') });
    const evy = await serve(['app.mjs', '--port', '0', '-w', '1', '--boot-timeout', '6s', '--warmup', 'GET:/warm'], {
      cwd,
    });
    await writeFiles(cwd, { 'app.mjs': 'export default () => new Promise(() => {});' });
    evy.signal('SIGHUP');
    const failed = await evy.until('reload.failed');
    expect(failed).to.include({ code: 'BOOT_TIMEOUT' });
    expect(failed.message).to.match(/within 6s \(option bootTimeout\) and was killed; it was at: warm-up GET \/warm$/);
    expect(await answerOf({ port: evy.port })).to.equal('one');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
