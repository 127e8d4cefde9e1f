import { join } from 'node:path';
import { expect } from 'chai';
import { freePort } from '../helpers/free-port.ts';
import { trusted } from '../helpers/certificates.ts';
import { projectRoot } from '../helpers/files.ts';
import { connect } from '../helpers/raw-client.ts';
import { firstAnswer, runExample, runOnFreePort, written } from './run-example.ts';

const get = 'GET /path?query=1 HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('examples that are programs of their own', () => {
  it('wsgi.ts greets', async () => {
    const { evy, port } = await runOnFreePort('wsgi.ts', 8090);
    const response = await firstAnswer(evy, () => fetch(`http://127.0.0.1:${port}/`));
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.equal('text/plain');
    expect(await response.text()).to.equal('Hello, World!\r\n');
    await written(evy, /"GET \/ HTTP\/1\.1" 200 15 /);
    // As in the seed: no handler of signals, so TERM does what it does to any program.
    expect(await evy.stop()).to.deep.equal({ code: null, signal: 'SIGTERM' });
  });

  it('ssl.ts greets over TLS, with the certificate of the folder where it is run', async () => {
    const { evy, port } = await runOnFreePort('ssl.ts', 8443);
    const client = await firstAnswer(evy, () => connect({ port, tls: trusted }));
    const response = await client.request(get);
    expect(response.status).to.equal(200);
    expect(String(response.body)).to.equal('Hello, World!\r\n');
    expect(await evy.stop()).to.deep.equal({ code: null, signal: 'SIGTERM' });
  });

  it('posthooks.ts prints the environment and the arguments for every request', async () => {
    const { evy, port } = await runOnFreePort('posthooks.ts', 8090);
    const client = await firstAnswer(evy, () => connect({ port }));
    for (const times of [1, 2]) {
      expect(String((await client.request(get)).body)).to.equal('Hello, World!\r\n');
      await written(evy, new RegExp(`(Hook called: \\{[^]*?\\} arg1 arg2 3 4\n[^]*?){${times}}`));
    }
    const output = evy.output('stdout');
    expect(output.split('Hook called:')).to.have.length(3);
    for (const entry of ["REQUEST_METHOD: 'GET'", "PATH_INFO: '/path'", "HTTP_HOST: 'localhost'", "'evy.response'"]) {
      expect(output).to.include(entry);
    }
    expect(await evy.stop()).to.deep.equal({ code: null, signal: 'SIGTERM' });
  });

  it('embed.ts starts, reloads, scales and stops a master', async () => {
    const port = await freePort();
    const evy = runExample(join(projectRoot, 'examples', 'embed.ts'), { env: { PORT: String(port) } });
    await written(evy, /reloaded: 2 workers replaced, generation 2\n/);
    await written(evy, /3 workers serve/);
    expect(evy.output()).to.include(`http://127.0.0.1:${port}/; Ctrl-C stops them`);
    expect(evy.output().match(/is ready \(process \d+, generation 2\)/g)).to.have.length(3);
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).to.match(/^Hello, World!/);
    expect(await evy.stop('SIGINT')).to.deep.equal({ code: 0, signal: null });
    expect(evy.output()).to.match(/stopped\n$/);
    expect(evy.output().match(/worker \d ended with 0\n/g)).to.have.length(5);
  });
});
