import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { connect } from '../../helpers/raw-client.ts';
import { header, text } from '../../helpers/response-reader.ts';
import { application, answerOf, serve } from './serving.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

describe('a worker that closed its channel, with --orphans serve', () => {
  it('is no orphan: it finishes its requests, ends by itself and is replaced', async () => {
    const folder = await tempFolder();
    const gate = join(folder, 'gate');
    const evy = await serve(['--port', '0', '--workers', '1', '--orphans', 'serve', application('leaves-its-master')]);
    const busy = await connect({ port: evy.port });
    busy.send(get(`/?${gate}`));
    const client = await connect({ port: evy.port });
    const pid = Number(header(await client.request(get('/leave')), 'X-Pid'));
    client.close();
    expect(await evy.until('worker.retiring')).to.include({ pid, reason: 'it closed its channel' });
    await evy.until('worker.ready', { times: 2 });
    await writeFiles(folder, { gate: '' });
    expect(text(await busy.response())).to.equal('done');
    busy.close();
    expect(await evy.until('worker.exit')).to.include({ pid, code: 0 });
    expect(await answerOf({ port: evy.port })).to.equal('done');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
