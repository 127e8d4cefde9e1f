import { expect } from 'chai';
import type { LogLine } from '../../helpers/log-reader.ts';
import { connect, type RawClient } from '../../helpers/raw-client.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, crewOf, serve, type Worker } from './serving.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;

describe('requests that die with their worker', () => {
  let evy: EvyProcess;
  let worker: Worker;
  let waiting: RawClient;
  beforeEach(async () => {
    evy = await serve(['--port', '0', '--workers', '1', application('blocks'), '--access-log', '-']);
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
    await waiting.closed(15_000);
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
    await waiting.closed(15_000);
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

  it('are counted when it is killed from outside', async () => {
    // The worker tells how many it has once a second: time itself is waited for.
    const fromMs = performance.now();
    await waitFor('two seconds', () => performance.now() - fromMs > 2_000);
    process.kill(worker.pid, 'SIGKILL');
    await evy.until('worker.exit');
    expect(evy.seen('worker.exit')[0]).to.include({ pid: worker.pid, signal: 'SIGKILL', requests: 1 });
    await waiting.closed();
    await crewOf(evy, [1]);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
