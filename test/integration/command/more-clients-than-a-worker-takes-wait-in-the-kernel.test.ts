import { expect } from 'chai';
import { certfile, keyfile } from '../../helpers/certificates.ts';
import { connect, type RawClient } from '../../helpers/raw-client.ts';
import { text } from '../../helpers/response-reader.ts';
import { echo, serve } from './serving.ts';

const request = 'GET / HTTP/1.1\r\nHost: localhost\r\nX-Load-Id: me\r\nConnection: close\r\n\r\n';
const clients = 300;

async function open(port: number, tls: boolean, count: number): Promise<RawClient[]> {
  return Promise.all(Array.from({ length: count }, () => connect({ port, tls })));
}

async function ask(client: RawClient): Promise<string> {
  const got = text(await client.request(request));
  const ending = await client.closed();
  client.close();
  return `${got}, ${ending}`;
}

const allServed = Array<string>(clients).fill('me, fin');

describe('more clients than a worker takes at a time', () => {
  it('wait in the kernel, and none is reset', async () => {
    const evy = await serve([echo, '--port', '0', '--workers', '1', '--worker-connections', '10']);
    const all = await open(evy.port, false, clients);
    expect(await Promise.all(all.map(ask))).to.deep.equal(allServed);
  });

  it('wait in the kernel, and none is reset, on TLS', async () => {
    const tls = ['--certfile', certfile, '--keyfile', keyfile, '--bind', 'tls:127.0.0.1:0'];
    const evy = await serve([echo, ...tls, '--workers', '1', '--worker-connections', '10']);
    const answers = Array.from({ length: clients }, async () => ask((await open(evy.port, true, 1))[0]!));
    expect(await Promise.all(answers)).to.deep.equal(allServed);
  });

  it('are not reset either where the limit is that of open files', async () => {
    const limited = { node: '/bin/sh', nodeArgs: ['-c', 'ulimit -n 150; exec "$0" "$@"', process.execPath] };
    const evy = await serve([echo, '--port', '0', '--workers', '1'], limited);
    await evy.until('connections.limited', { where: ({ limit }) => limit === 112 });
    const all = await open(evy.port, false, clients);
    expect(await Promise.all(all.map(ask))).to.deep.equal(allServed);
  });
});
