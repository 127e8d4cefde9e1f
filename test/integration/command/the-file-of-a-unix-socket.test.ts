import { once } from 'node:events';
import { existsSync, lstatSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { answerOf, crewOf, echo, hasEnded, serve } from './serving.ts';
import { waitFor } from '../../helpers/wait-for.ts';

describe('the file of a unix socket', () => {
  let path = '';
  beforeEach(async () => {
    path = join(await tempFolder({ 'a file': 'precious' }), 'evy.sock');
  });
  const on = (where: string) => ['--bind', `unix:${where}`, '--workers', '1', echo];

  it('is there while it is served, for whom the mode says, and removed by a stop', async () => {
    const evy = await serve([...on(path), '--unix-mode', '600']);
    expect(statSync(path).mode & 0o777).to.equal(0o600);
    expect(await answerOf({ path })).to.equal('echo');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    expect(existsSync(path)).to.equal(false);
  });

  it('is removed by a stop at once as well', async () => {
    const evy = await serve(on(path));
    expect(await evy.stop('SIGQUIT')).to.deep.equal({ code: 0, signal: null });
    expect(existsSync(path)).to.equal(false);
  });

  it('is replaced when it is stale', async () => {
    const dead = await serve(on(path));
    const [worker] = await crewOf(dead, [1]);
    dead.kill();
    await dead.exit;
    await waitFor('the end of the worker', () => hasEnded(worker!.pid));
    expect(lstatSync(path).isSocket()).to.equal(true);
    const evy = await serve(on(path));
    expect(await answerOf({ path })).to.equal('echo');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('is left alone when somebody listens on it', async () => {
    const owner = createServer((socket) => socket.destroy()).listen(path);
    onEnd(() => owner.close());
    await once(owner, 'listening');
    const evy = runEvy(on(path));
    expect(await evy.exit).to.include({ code: 3 });
    expect(evy.output()).to.match(/^evy: --bind unix:.*evy\.sock: another process already listens on .*evy\.sock$/m);
    expect(lstatSync(path).isSocket()).to.equal(true);
  });

  it('is left alone by a stop when it belongs to another master by now', async () => {
    const first = await serve(on(path));
    rmSync(path);
    const second = await serve(on(path));
    expect(await first.stop()).to.deep.equal({ code: 0, signal: null });
    expect(await answerOf({ path })).to.equal('echo');
    expect(await second.stop()).to.deep.equal({ code: 0, signal: null });
    expect(existsSync(path)).to.equal(false);
  });

  it('is left alone when it is no socket', async () => {
    const file = join(path, '..', 'a file');
    const evy = runEvy(on(file));
    expect(await evy.exit).to.include({ code: 3 });
    expect(evy.output()).to.match(
      /^evy: --bind unix:.*a file: .*a file exists and is not a socket, so it is not replaced$/m,
    );
    expect(lstatSync(file).isFile()).to.equal(true);
  });
});
