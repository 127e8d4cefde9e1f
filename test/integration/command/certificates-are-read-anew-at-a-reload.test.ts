import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { certfile, keyfile, renewedCertfile, renewedKeyfile, trusted } from '../../helpers/certificates.ts';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { connect } from '../../helpers/raw-client.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { crewOf, echo, reload, serve } from './serving.ts';

describe('certificate files', () => {
  let folder = '';
  let evy: EvyProcess;
  const install = (certificate: string, key: string) =>
    Promise.all([copyFile(certificate, join(folder, 'cert.pem')), copyFile(key, join(folder, 'key.pem'))]);
  /** The organisation in the certificate that is served. */
  const served = async () => {
    const client = await connect({ port: evy.port, tls: trusted });
    const { subject } = (client.socket as TLSSocket).getPeerCertificate();
    const { status } = await client.request('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    client.close();
    return [status, subject.O];
  };

  it('are read anew at a reload; bad ones fail that reload and nothing else', async () => {
    folder = await tempFolder();
    await install(certfile, keyfile);
    const flags = ['--certfile', join(folder, 'cert.pem'), '--keyfile', join(folder, 'key.pem')];
    evy = await serve(['--port', '0', '--workers', '2', ...flags, echo]);
    expect(evy.url).to.match(/^https:/);
    expect(await served()).to.deep.equal([200, 'evy tests']);

    const old = await connect({ port: evy.port, tls: trusted });
    await install(renewedCertfile, renewedKeyfile);
    // A new file alone changes nothing.
    expect(await served()).to.deep.equal([200, 'evy tests']);
    await reload(evy);
    // A connection made before goes on: its next request is answered.
    expect((await old.request('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')).status).to.equal(200);
    old.close();
    const crew = await crewOf(evy, [2, 2]);
    expect(await served()).to.deep.equal([200, 'evy tests renewed']);

    await install(certfile, renewedKeyfile);
    evy.signal('SIGHUP');
    const mismatch = await evy.until('reload.failed');
    expect(mismatch).to.include({ code: 'BAD_CERTIFICATE', generation: 3 });
    expect(mismatch.message).to.include('cert.pem').and.to.include('key.pem');
    await writeFiles(folder, { 'cert.pem': 'no certificate' });
    evy.signal('SIGHUP');
    const garbage = await evy.until('reload.failed', { times: 2 });
    expect(garbage).to.include({ code: 'BAD_CERTIFICATE', generation: 4 });
    expect(garbage.message).to.include('cert.pem');
    expect(await crewOf(evy, [2, 2])).to.deep.equal(crew);
    expect(await served()).to.deep.equal([200, 'evy tests renewed']);

    await install(certfile, keyfile);
    await reload(evy);
    await crewOf(evy, [5, 5]);
    expect(await served()).to.deep.equal([200, 'evy tests']);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
