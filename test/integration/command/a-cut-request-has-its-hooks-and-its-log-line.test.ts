import { join } from 'node:path';
import { expect } from 'chai';
import { readText, tempFolder } from '../../helpers/files.ts';
import { connect } from '../../helpers/raw-client.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, serve } from './serving.ts';

describe('a request that the grace time cuts', () => {
  it('aborts its signal, runs its hooks and is written to the access log before the worker is killed', async () => {
    const folder = await tempFolder();
    const [said, log] = [join(folder, 'said'), join(folder, 'access.log')];
    const args = ['--port', '0', '--workers', '1', '--grace', '100ms', '--access-log', log];
    const evy = await serve([application('never-answers'), ...args], { env: { SAY: said } });
    const client = await connect({ port: evy.port });
    client.send('GET /cut HTTP/1.1\r\nHost: a\r\n\r\n');
    await waitFor('the request', async () => (await readText(said).catch(() => '')) === 'asked\n');
    evy.signal('SIGTERM');
    await evy.exit;
    expect(await readText(said)).to.equal('asked\naborted\nhook cut false\n');
    expect(await readText(log)).to.match(/"GET \/cut HTTP\/1\.1" 0 0 /);
    expect(evy.seen('request.cut')[0]).to.include({ method: 'GET', target: '/cut' });
  });
});
