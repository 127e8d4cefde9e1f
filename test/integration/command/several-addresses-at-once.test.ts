import { statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { tempFolder } from '../../helpers/files.ts';
import type { Target } from '../../helpers/raw-client.ts';
import { answerOf, crewOf, echo, refusalOf, reload, serve } from './serving.ts';

describe('several addresses at once', () => {
  it('are all served: TCP, IPv4 and IPv6 on one socket, unix paths, and TLS on any of them', async () => {
    const folder = await tempFolder();
    const [plain, secure] = [join(folder, 'plain.sock'), join(folder, 'secure.sock')];
    const binds = ['127.0.0.1:0', '[::]:0', 'tls:127.0.0.1:0', `unix:${plain}`, `tls:unix:${secure}`];
    const flags = ['--certfile', certfile, '--keyfile', keyfile, '--unix-mode', '0660', '--workers', '2'];
    const evy = await serve([...binds.flatMap((bind) => ['--bind', bind]), ...flags, echo]);
    const [tcp, both, tls, ...unix] = evy.addresses;
    expect([tcp, both, tls].map((address) => [address!.tls, address!.host])).to.deep.equal([
      [false, '127.0.0.1'],
      [false, '::'],
      [true, '127.0.0.1'],
    ]);
    expect(unix).to.deep.equal([
      { tls: false, path: plain },
      { tls: true, path: secure },
    ]);
    const targets: Target[] = [
      { port: tcp!.port! },
      { port: both!.port!, host: '127.0.0.1' },
      { port: both!.port!, host: '::1' },
      { port: tls!.port!, tls: trusted },
      { path: plain },
      { path: secure, tls: trusted },
    ];
    for (const path of [plain, secure]) expect(statSync(path).mode & 0o777).to.equal(0o660);
    for (const target of targets) expect(await answerOf(target)).to.equal('echo');
    await reload(evy);
    await crewOf(evy, [2, 2]);
    for (const target of targets) expect(await answerOf(target)).to.equal('echo');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    for (const { tls: _, ...address } of targets) {
      expect(await refusalOf(address)).to.equal('path' in address ? 'ENOENT' : 'ECONNREFUSED');
    }
  });
});
