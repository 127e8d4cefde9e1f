import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';

/** What a process says that runs `source` with the functions of the module. */
async function run(source: string): Promise<{ status: number | null; said: string }> {
  const url = new URL('../../../src/worker/process/process-exit.ts', import.meta.url).href;
  const tell = 'onForeignExit(({ message, stack }) => console.log(JSON.stringify({ message, stack })));';
  const code = `const { endProcess, onForeignExit } = await import(${JSON.stringify(url)});\n${tell}\n${source}`;
  const cwd = await tempFolder({ 'main.mjs': code });
  const { status, stdout } = spawnSync(process.execPath, ['--import', 'tsx', `${cwd}/main.mjs`], { encoding: 'utf8' });
  return { status, said: stdout };
}

describe('the end of a process', () => {
  it('is ours when we have announced it', async () => {
    expect(await run('endProcess(4);')).to.deep.equal({ status: 4, said: '' });
  });

  it('is told with its caller when it is not', async () => {
    const { status, said } = await run('function helper() { process.exit(5); }\nhelper();');
    expect(status).to.equal(5);
    const { message, stack } = JSON.parse(said) as Record<'message' | 'stack', string>;
    expect(message).to.equal('process.exit(5) was called');
    expect(stack).to.match(/^Error: process\.exit\(5\) was called\n\s+at helper \(.*main\.mjs:3:\d+\)\n/);
  });
});
