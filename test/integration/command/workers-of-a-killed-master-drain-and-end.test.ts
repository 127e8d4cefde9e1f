import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import type { Target } from '../../helpers/raw-client.ts';
import { text } from '../../helpers/response-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { answerOf, beginSlow, beIdle, crewOf, hasEnded, serve, slow } from './serving.ts';

/**
 * Kills the master while a request is under way, starts another one on the same address while the orphans drain, and
 * lets the request finish.
 */
async function killAndFollow(first: EvyProcess, bind: string, target: Target): Promise<EvyProcess> {
  const folder = await tempFolder();
  const workers = await crewOf(first, [1, 1]);
  const busy = await beginSlow(target, join(folder, 'gate'));
  const idle = await beIdle(target);
  first.signal('SIGKILL');
  const second = await serve(['--bind', bind, '--workers', '2', slow]);
  expect(await answerOf(target)).to.equal('at once');
  expect(await idle.closed()).to.equal('fin');
  idle.close();
  await writeFiles(folder, { gate: '' });
  expect(text(await busy.response())).to.equal('begun,done');
  expect(await busy.closed()).to.equal('fin');
  busy.close();
  for (const { pid } of workers) await waitFor(`the end of worker ${pid}`, () => hasEnded(pid));
  expect(first.seen('worker.orphaned')).to.have.length(2);
  expect(await answerOf(target)).to.equal('at once');
  return second;
}

describe('kill -9 of the master', () => {
  it('lets its workers finish and end, and a new master can bind the port at once', async () => {
    const first = await serve(['--port', '0', '--workers', '2', slow]);
    const { port } = first;
    const second = await killAndFollow(first, `127.0.0.1:${port}`, { port });
    expect(await second.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('leaves a socket file, which a new master replaces at once and the old workers leave alone', async () => {
    const path = join(await tempFolder(), 'evy.sock');
    const first = await serve(['--bind', `unix:${path}`, '--workers', '2', slow]);
    const second = await killAndFollow(first, `unix:${path}`, { path });
    expect(existsSync(path)).to.equal(true);
    expect(await second.stop()).to.deep.equal({ code: 0, signal: null });
    expect(existsSync(path)).to.equal(false);
  });

  it('cuts and names what outlasts the grace time', async () => {
    const gate = join(await tempFolder(), 'gate');
    const evy = await serve(['--port', '0', '--workers', '1', '--grace', '300ms', slow]);
    const [worker] = await crewOf(evy, [1]);
    await beginSlow({ port: evy.port }, gate);
    evy.signal('SIGKILL');
    await waitFor('the end of the worker', () => hasEnded(worker!.pid));
    await waitFor('the name of the request', () => evy.seen('request.cut').length === 1);
    expect(evy.seen('request.cut')[0]).to.include({ pid: worker!.pid, target: `/?${gate}` });
  });
});
