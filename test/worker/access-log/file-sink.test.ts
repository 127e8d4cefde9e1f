import { execFile } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { FileSink } from '../../../src/worker/access-log/file-sink.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';

async function sinkOn(path: string): Promise<FileSink> {
  const sink = await FileSink.open(path, () => {});
  onEnd(() => sink.close());
  return sink;
}

describe('the sink of access lines', () => {
  it('takes large batches to a file, and to a pipe no more than that takes at once', async () => {
    const folder = await tempFolder();
    const pipe = join(folder, 'pipe');
    await promisify(execFile)('mkfifo', [pipe]);
    // A pipe opens for writing when somebody reads.
    const reader = open(pipe, 'r');
    const batches = [(await sinkOn(join(folder, 'file'))).batchBytes, (await sinkOn(pipe)).batchBytes];
    await (await reader).close();
    expect(batches).to.deep.equal([262_144, 65_536]);
  });
});
