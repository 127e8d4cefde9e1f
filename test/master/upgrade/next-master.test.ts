import { expect } from 'chai';
import { ownCommand } from '../../../src/master/upgrade/next-master.ts';
import type { Started } from '../../../src/master/upgrade/next-master.ts';

const started: Started = {
  argv0: 'node',
  execPath: '/opt/node-20/bin/node',
  execArgv: ['--import', 'tsx'],
  argv: ['/opt/node-20/bin/node', '/srv/releases/1/node_modules/.bin/evy', 'app.mjs', '--port', '80'],
  env: { PATH: '/none:/opt/node/bin:/usr/bin' },
  cwd: () => '/srv/releases/1',
};
const only =
  (...paths: string[]) =>
  (path: string) =>
    paths.includes(path);

describe("a process's own command line, run again", () => {
  it('has the same words, and paths that lead through the link again', () => {
    const { args, cwd } = ownCommand(started, '/srv/current', only('/opt/node/bin/node'));
    expect(args).to.deep.equal(['--import', 'tsx', '/srv/current/node_modules/.bin/evy', 'app.mjs', '--port', '80']);
    expect(cwd).to.equal('/srv/current');
    const elsewhere = { ...started, argv: ['node', '/usr/lib/evy/cli.js'] };
    expect(ownCommand(elsewhere, '/srv/current', only()).args.at(-1)).to.equal('/usr/lib/evy/cli.js');
  });

  it('finds Node as it was called: in PATH, or by its path', () => {
    const inPath = ownCommand(started, '/srv', only('/opt/node/bin/node', '/usr/bin/node'));
    expect(inPath).to.include({ file: '/opt/node/bin/node', argv0: 'node' });
    const named = ownCommand({ ...started, argv0: './node' }, '/srv/current', only('/srv/current/node'));
    expect(named).to.include({ file: '/srv/current/node', argv0: './node' });
  });

  it('falls back to the program that runs, when that name leads nowhere any more', () => {
    const gone = ownCommand({ ...started, argv0: '/opt/old/node' }, '/srv', only());
    expect(gone).to.include({ file: '/opt/node-20/bin/node', argv0: '/opt/node-20/bin/node' });
  });
});
