import { join } from 'node:path';
import { expect } from 'chai';
import { readText, tempFolder } from '../../helpers/files.ts';
import type { LogLine } from '../../helpers/log-reader.ts';
import { connect, type RawClient } from '../../helpers/raw-client.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, ask, crewOf, serve, type Worker } from './serving.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

const options = ['--port', '0', '--workers', '1', application('blocks'), '--access-log', '-'];

describe('requests that die with their worker', () => {
  let evy: EvyProcess;
  let worker: Worker;
  let waiting: RawClient;
  beforeEach(async () => {
    evy = await serve(options);
    [worker] = (await crewOf(evy, [1])) as [Worker];
    waiting = await connect({ port: evy.port });
    waiting.send(get('/never?1'));
    await waitFor('a response that has begun', () => waiting.received.includes('begun'));
  });
  const accessLines = () =>
    evy
      .output('stdout')
      .split('\n')
      .filter((line) => line.includes('"GET '));

  it('have log line, access line and hooks when an exception ends it', async () => {
    const second = await connect({ port: evy.port });
    second.send(get('/crash?2'));
    await waiting.closed();
    await evy.until('worker.exit', { where: ({ pid }) => pid === worker.pid });
    expect(evy.seen('worker.crashed')).to.have.length(1);
    const cut = evy.seen('request.cut').map(({ pid, method, target }) => ({ pid, method, target }));
    expect(cut).to.deep.equal([
      { pid: worker.pid, method: 'GET', target: '/never?1' },
      { pid: worker.pid, method: 'GET', target: '/crash?2' },
    ]);
    await waitFor('their access lines', () => accessLines().length === 2);
    const lines = accessLines();
    expect(lines.filter((line) => /"GET \/never\?1 HTTP\/1.1" 200 10 /.test(line))).to.have.length(1);
    expect(lines.filter((line) => /"GET \/crash\?2 HTTP\/1.1" 0 0 /.test(line))).to.have.length(1);
    await waitFor('the hook', () => evy.output('stdout').includes('hook of /never: cut'));
    await crewOf(evy, [1]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('have log line and access line when the application ends its process', async () => {
    const second = await connect({ port: evy.port });
    second.send(get('/exit?2'));
    await waiting.closed();
    const ofIt = { where: (line: LogLine) => line['pid'] === worker.pid };
    expect(await evy.until('worker.exit', ofIt)).to.include({ code: 3, error: 'process.exit(3) was called' });
    const [crashed, ...others] = evy.seen('worker.crashed');
    expect(others).to.deep.equal([]);
    expect(crashed).to.include({ level: 'error', pid: worker.pid, message: 'process.exit(3) was called' });
    expect(crashed!.stack).to.match(
      /^Error: process\.exit\(3\) was called\n +at .*givesUp .*\(.*blocks\.mjs:\d+:\d+\)\n/,
    );
    const cut = evy.seen('request.cut').map(({ pid, target }) => ({ pid, target }));
    expect(cut).to.deep.equal([
      { pid: worker.pid, target: '/never?1' },
      { pid: worker.pid, target: '/exit?2' },
    ]);
    await waitFor('their access lines', () => accessLines().length === 2);
    const lines = accessLines();
    expect(lines.filter((line) => /"GET \/never\?1 HTTP\/1.1" 200 10 /.test(line))).to.have.length(1);
    expect(lines.filter((line) => /"GET \/exit\?2 HTTP\/1.1" 0 0 /.test(line))).to.have.length(1);
    await crewOf(evy, [1]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  /** The worker tells what it has under way every quarter of a second, and how many once a second: time itself is waited for. */
  async function longEnough(): Promise<void> {
    const fromMs = performance.now();
    await waitFor('two seconds', () => performance.now() - fromMs > 2_000);
  }

  // QUIT ends it as if all were well.
  for (const signal of ['SIGKILL', 'SIGABRT', 'SIGQUIT'] as const) {
    it(`have log line and access line when ${signal} ends it`, async () => {
      await longEnough();
      process.kill(worker.pid, signal);
      const ofIt = { where: (line: LogLine) => line['pid'] === worker.pid };
      const end = signal === 'SIGQUIT' ? { code: 0 } : { signal };
      expect(await evy.until('worker.exit', ofIt)).to.include({ ...end, requests: 1 });
      const cut = await evy.until('request.cut', ofIt);
      expect(cut).to.include({ method: 'GET', target: '/never?1', peer: '127.0.0.1' });
      expect(cut.ageMs).to.be.at.least(1_000);
      await waiting.closed();
      await crewOf(evy, [1]);
      await waitFor('its access line', () => accessLines().length > 0);
      expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
      expect(evy.seen('request.cut')).to.have.length(1);
      expect(accessLines()).to.have.length(1);
      expect(accessLines()[0]).to.match(/"GET \/never\?1 HTTP\/1.1" 200 10 [1-9]\./);
    });
  }

  it('have both when its code cannot be read, too', async function () {
    expect(await evy.stop('SIGQUIT')).to.include({ signal: null });
    evy = await serve([...options, '--stuck-timeout', '2s']);
    const client = await connect({ port: evy.port });
    client.send(get('/never?1'));
    await waitFor('a response that has begun', () => client.received.includes('begun'));
    await longEnough();
    (await connect({ port: evy.port })).send(get('/shell'));
    expect((await evy.until('worker.stuck')).stack).to.equal(undefined);
    expect(await evy.until('request.cut')).to.include({ target: '/never?1' });
    await waitFor('its access line', () => accessLines().length > 0);
    await crewOf(evy, [1]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    expect(accessLines()).to.have.length(1);
  });

  const neverEnding = {
    node: "export default (request, response) => void response.writeHead(200).write('begun');",
    fetch: `export default { fetch: () => new Response(new ReadableStream({
      start: (stream) => stream.enqueue(new TextEncoder().encode('begun')),
    })) };`,
  };
  for (const [name, source] of Object.entries(neverEnding)) {
    it(`have both with an application of ${name}, and count for quarantine when a fault ends it`, async () => {
      const folder = await tempFolder({ 'app.mjs': source });
      const log = join(folder, 'access.log');
      const format = ['--access-log', log, '--log-format', '%(target)s %(status_code)s %(outcome)s %(pid)s'];
      evy = await serve(
        ['app.mjs', '--interface', name, '--port', '0', '--workers', '1', '--quarantine', '1', ...format],
        { cwd: folder },
      );
      [worker] = (await crewOf(evy, [1])) as [Worker];
      const client = await connect({ port: evy.port });
      client.send(get('/never?1'));
      await waitFor('a response that has begun', () => client.received.includes('begun'));
      await longEnough();
      process.kill(worker.pid, 'SIGSEGV');
      expect(await evy.until('request.cut')).to.include({ pid: worker.pid, target: '/never?1' });
      expect(await evy.until('route.quarantined')).to.include({ route: 'GET /never' });
      await waitFor('its access line', async () => (await readText(log)) !== '');
      expect(await readText(log)).to.equal(`/never?1 200 cut ${worker.pid}\n`);
      await crewOf(evy, [1]);
      expect((await ask({ port: evy.port }, '/never')).status).to.equal(503);
      expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    });
  }
});
