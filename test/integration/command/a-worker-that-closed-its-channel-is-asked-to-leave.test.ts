import { join } from 'node:path';
import { expect } from 'chai';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { connect } from '../../helpers/raw-client.ts';
import { header, text } from '../../helpers/response-reader.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, answerOf, serve } from './serving.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

describe('a worker that closed its channel', () => {
  it('finishes its requests, ends by itself and is replaced', async () => {
    const folder = await tempFolder();
    const gate = join(folder, 'gate');
    const options = ['--port', '0', '--workers', '1', '--access-log', '-'];
    const evy = await serve([...options, application('leaves-its-master')]);
    const busy = await connect({ port: evy.port });
    busy.send(get(`/?${gate}`));
    // Until the master has been told that it is under way: the time itself is waited for.
    const fromMs = performance.now();
    await waitFor('a second', () => performance.now() - fromMs > 1_000);
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
    expect(evy.seen('request.cut')).to.deep.equal([]);
    const lines = evy.output('stdout').split('\n');
    expect(lines.filter((line) => line.includes(`"GET /?${gate} HTTP/1.1" 200`))).to.have.length(1);
    expect(lines.filter((line) => line.includes(`"GET /?${gate} `))).to.have.length(1);
  });
});
