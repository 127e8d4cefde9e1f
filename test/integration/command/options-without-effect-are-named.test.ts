import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder } from '../../helpers/files.ts';
import { onTwo, reload, serve } from './serving.ts';

describe('options that a node listener does not heed', () => {
  it('are named once a start or reload', async () => {
    const folder = await tempFolder({
      'app.mjs': 'export default (_request, response) => response.end("hello");',
    });
    const limits = ['--body-min-rate', '1KiB', '--pipeline-depth', '8', '--max-body', '1KiB'];
    const evy = await serve([join(folder, 'app.mjs'), '--interface', 'node', ...onTwo, ...limits]);
    await evy.until('worker.ready', { times: 2 });
    const named = () => evy.seen('option.ignored').map(({ option }) => option);
    expect(named()).to.deep.equal(['bodyMinRate', 'pipelineDepth']);
    await reload(evy);
    await evy.until('reload.done');
    expect(named()).to.deep.equal(['bodyMinRate', 'pipelineDepth', 'bodyMinRate', 'pipelineDepth']);
  });
});
