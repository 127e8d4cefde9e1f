import { join } from 'node:path';
import { expect } from 'chai';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { connect, type RawClient, type Target } from '../../helpers/raw-client.ts';
import { text } from '../../helpers/response-reader.ts';
import { answerOf, application, beginSlow, beIdle, echo, serve, slow } from './serving.ts';

const get = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';
const most = 10;
const limited = ['--workers', '1', '--worker-connections', String(most), '--keepalive', '10m', '--head-timeout', '10m'];

/** One after the other, the longest idle one first. */
async function idle(target: Target, count: number): Promise<RawClient[]> {
  const clients: RawClient[] = [];
  while (clients.length < count) clients.push(await beIdle(target));
  return clients;
}

/** It was closed for another one. */
async function expectGone(client: RawClient): Promise<void> {
  expect(await client.closed()).to.equal('fin');
  client.close();
}

describe('idle connections give way to new ones when there are as many as there may be', () => {
  for (const kind of ['', '-fetch', '-node'])
    for (const over of ['TCP', 'TLS']) {
      it(`the longest idle one first: echoes-load-id${kind} over ${over}`, async () => {
        const tls = ['--bind', 'tls:127.0.0.1:0', '--certfile', certfile, '--keyfile', keyfile];
        const evy = await serve([
          ...limited,
          ...(over === 'TLS' ? tls : ['--port', '0']),
          application(`echoes-load-id${kind}`),
        ]);
        const target = { port: evy.port, ...(over === 'TLS' ? { tls: trusted } : {}) };
        const clients = await idle(target, most);
        for (const client of clients.slice(0, 3)) {
          expect(text(await (await beIdle(target)).request(get))).to.equal('echo');
          await expectGone(client);
        }
        for (const client of clients.slice(3)) expect(text(await client.request(get))).to.equal('echo');
      });
    }

  it('where the limit is that of the whole server', async () => {
    const args = ['--port', '0', '--workers', '2', '--max-connections', '4', '--keepalive', '10m', echo];
    const { port } = await serve(args);
    await idle({ port }, 4);
    for (let times = 0; times < 4; times += 1)
      expect(text(await (await beIdle({ port })).request(get))).to.equal('echo');
  });

  it('but none with a request, nor with a part of one', async () => {
    const folder = await tempFolder();
    const { port } = await serve([...limited, '--port', '0', slow]);
    const busy: RawClient[] = [];
    while (busy.length < most - 2) busy.push(await beginSlow({ port }, join(folder, 'gate')));
    const begun = await beIdle({ port });
    begun.send('GET / HTTP/1.1\r\n');
    const longest = await beIdle({ port });
    // The second one takes the place of the first one, and so on.
    for (let times = 0; times < 5; times += 1) await answerOf({ port });
    await expectGone(longest);
    expect((await begun.request('Host: test\r\n\r\n')).status).to.equal(200);
    await writeFiles(folder, { gate: '' });
    for (const client of busy) expect(text(await client.response())).to.equal('begun,done');
  });

  it('those that have never asked after a while', async () => {
    const { port } = await serve([...limited, '--port', '0', echo]);
    const clients: RawClient[] = [];
    while (clients.length < most) clients.push(await connect({ port }));
    expect(await answerOf({ port })).to.equal('echo');
    await expectGone(clients[0]!);
    for (const client of clients.slice(1)) expect(text(await client.request(get))).to.equal('echo');
  });

  it('and few descriptors serve many clients', async () => {
    const shell = {
      node: '/bin/sh',
      nodeArgs: ['-c', 'ulimit -n 150; exec "$0" "$@"', process.env.EVY_TEST_NODE ?? process.execPath],
    };
    const { port } = await serve(['--port', '0', '--workers', '1', '--keepalive', '10m', echo], shell);
    const clients = await idle({ port }, 100);
    for (const client of clients) expect(text(await client.request(get))).to.equal('echo');
    // Many more than there are descriptors.
    await idle({ port }, 80);
  });
});
