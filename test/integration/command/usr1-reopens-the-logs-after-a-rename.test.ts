import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { readText, tempFolder } from '../../helpers/files.ts';
import type { LogLine } from '../../helpers/log-reader.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { ask } from './serving.ts';

/** An application that writes a log line of its worker. */
const complaining = `
export default (env, startResponse) => {
  env['wsgi.errors'].write('complaint about ' + env.PATH_INFO + '\\n');
  startResponse('200 OK', []);
  return ['answered'];
};`;

describe('USR1', () => {
  it('opens the log file and the access log anew, in the master and in the workers', async () => {
    const folder = await tempFolder({ 'app.mjs': complaining });
    const path = (name: string) => join(folder, name);
    const read = (name: string) => readText(path(name)).catch(() => '');
    const lines = async (name: string): Promise<LogLine[]> =>
      (await read(name)).split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as LogLine]));
    const logged = (name: string, event: string) =>
      waitFor(`${event} in ${name}`, async () => (await lines(name)).find((line) => line.event === event));
    const accessed = (name: string, target: string) =>
      waitFor(`${target} in ${name}`, async () => (await read(name)).includes(`"GET ${target} HTTP/1.1" 200 `));
    const evy = runEvy(
      ['--port', '0', '--workers', '2', '--log-file', path('log'), '--access-log', path('access'), 'app.mjs'],
      { cwd: folder },
    );
    const [address] = (await logged('log', 'master.ready')).addresses as string[];
    const port = Number(address!.split(':')[1]);
    await ask({ port }, '/before');
    await logged('log', 'app.errors');
    await accessed('access', '/before');

    await rename(path('log'), path('log.1'));
    await rename(path('access'), path('access.1'));
    evy.signal('SIGUSR1');
    await logged('log', 'logs.reopened');
    // Until a worker has done it as well, its lines go to the old files: each of the two is to write to the new ones.
    const pids = new Set<unknown>();
    let asked = 0;
    await waitFor('lines of both workers in the new files', async () => {
      asked += 1;
      // Many at once, so that neither worker can take them all.
      await Promise.all(Array.from({ length: 16 }, () => ask({ port }, `/after-${asked}`)));
      for (const line of await lines('log')) if (line.event === 'app.errors') pids.add(line.pid);
      return pids.size === 2;
    });
    await ask({ port }, '/last');
    // Access lines are collected for a moment before they are written; a stop writes them.
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    await accessed('access', `/after-${asked}`);
    await accessed('access', '/last');
    await logged('log', 'master.stopped');
    const [old, oldAccess] = [await read('log.1'), await read('access.1')];
    expect(old + oldAccess).to.not.match(/last|master\.stopp/);
    expect(old).to.include('complaint about /before').and.include('master.ready');
    expect(evy.output()).to.equal('');
  });
});
