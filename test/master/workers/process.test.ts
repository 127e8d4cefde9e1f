import { expect } from 'chai';
import { workerExecArgv } from '../../../src/master/workers/process.ts';

describe("Node's flags for a worker", () => {
  it('are those of the master but what makes Node run a string', () => {
    expect(workerExecArgv(['--import', 'tsx', '--max-old-space-size=100'])).to.deep.equal([
      '--import',
      'tsx',
      '--max-old-space-size=100',
    ]);
    expect(workerExecArgv(['--input-type=module', '-e', 'code', '--no-warnings'])).to.deep.equal(['--no-warnings']);
    expect(workerExecArgv(['--eval=x', '-p', 'y', '--watch', '-i'])).to.deep.equal([]);
  });
});
