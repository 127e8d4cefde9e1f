import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { tempFolder, writeFiles } from '../../helpers/files.ts';
import { announcesClose } from '../../helpers/response-reader.ts';
import {
  answerOf,
  beginSlow,
  beIdle,
  echo,
  expectUnnoticed,
  light,
  moreAnswers,
  refusalOf,
  serve,
  slow,
  underLoad,
} from './serving.ts';
import { end, upgrade } from './upgrading.ts';

const get = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('the addresses of a new master', () => {
  it('are those of its configuration: some kept, some new, some given up', async function () {
    const cwd = await tempFolder();
    const [kept, dropped, added] = ['kept', 'dropped', 'added'].map((name) => join(cwd, `${name}.sock`)) as [
      string,
      string,
      string,
    ];
    const configure = (...bind: string[]) =>
      writeFiles(cwd, { 'evy.config.json': JSON.stringify({ app: slow, workers: 2, bind }) });
    await configure('127.0.0.1:0', `unix:${kept}`, `unix:${dropped}`);
    const evy = await serve([], { cwd });
    const { port } = evy;
    await configure(`unix:${added}`, `127.0.0.1:${port}`, `unix:${kept}`);
    const busy = await beginSlow({ path: dropped }, join(cwd, 'gate'));
    const going = upgrade(evy);
    await evy.until('upgrade.ready');
    // What was under way on an address that is given up is finished.
    await writeFiles(cwd, { gate: '' });
    expect((await busy.response()).status).to.equal(200);
    busy.close();
    const { pid } = await going;
    for (const target of [{ port }, { path: kept }, { path: added }])
      expect(await answerOf(target)).to.equal('at once');
    expect(existsSync(dropped)).to.equal(false);
    await end(pid);
    expect([kept, added].filter((path) => existsSync(path))).to.deep.equal([]);
    expect(await refusalOf({ port })).to.equal('ECONNREFUSED');
  });

  it('may speak TLS: a connection that cannot move is told to close', async function () {
    const args = ['-b', 'tls:127.0.0.1:0', '--certfile', certfile, '--keyfile', keyfile, '--workers', '2', echo];
    const evy = await serve(args);
    const target = { port: evy.port, tls: trusted };
    const idle = await beIdle(target);
    const going = upgrade(evy);
    await evy.until('worker.retiring', { times: 2 });
    expect(await answerOf(target)).to.equal('echo');
    expect(announcesClose(await idle.request(get))).to.equal(true);
    idle.close();
    const { pid } = await going;
    expect(await answerOf(target)).to.equal('echo');
    await end(pid);
  });

  it('may be those that a service manager has opened for the first one', async function () {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
    const { port } = server.address() as AddressInfo;
    const serving = serve(['--workers', '2', echo], {
      node: '/bin/sh',
      nodeArgs: ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.env.EVY_TEST_NODE ?? process.execPath],
      env: { LISTEN_FDS: '1' },
      inherit: [fd],
    });
    server.close();
    const evy = await serving;
    expect(evy.port).to.equal(port);
    const load = await underLoad(evy, light);
    const first = await upgrade(evy);
    await moreAnswers(load);
    const second = await upgrade(evy, first.pid);
    await moreAnswers(load);
    expectUnnoticed(await load.stop());
    await end(second.pid);
  });
});
