import { expect } from 'chai';
import { WorkerLines } from '../../../src/master/workers/lines.ts';
import type { WorkerHandle } from '../../../src/master/workers/worker.ts';
import { recordingLogger } from '../helpers/fake-crew.ts';

const worker = { worker: 3, pid: 77, generation: 2 };
const handle = { id: 3, pid: 77, generation: { number: 2 } } as unknown as WorkerHandle;

function linesOf(write: (lines: WorkerLines) => void) {
  const logger = recordingLogger();
  write(new WorkerLines(logger, () => {}));
  return logger.lines.map(({ level, event, fields }) => ({ level, event, ...JSON.parse(JSON.stringify(fields)) }));
}

describe('what the log says of a watched worker', () => {
  it('names the code and the requests of one that is stuck', () => {
    const requests = [
      { method: 'GET', target: '/a', peer: '::1', ageMs: 31_000, requestId: 'r1' },
      { method: 'POST', target: '/b', peer: 'unix', ageMs: 30_000 },
    ];
    const report = { stack: '    at spins (file:///app.mjs:2:27)', requests, requestCount: 2 };
    const { stack } = report;
    expect(linesOf((lines) => lines.stuck(handle, { type: 'stuck', blockedMs: 30_001, report }))).to.deep.equal([
      { level: 'error', event: 'worker.stuck', ...worker, blockedMs: 30_001, requests: 2, stack },
      { level: 'warn', event: 'request.cut', ...worker, ...requests[0] },
      { level: 'warn', event: 'request.cut', ...worker, ...requests[1] },
    ]);
    // Of one that is busy nothing is cut.
    expect(linesOf((lines) => lines.busy(handle, { type: 'busy', blockedMs: 10_000, report }))).to.deep.equal([
      { level: 'warn', event: 'worker.busy', ...worker, blockedMs: 10_000, requests: 2, stack },
    ]);
  });

  it('says why there is no stack', () => {
    const wordsFor = (native?: { state: 'computing' | 'waiting'; children: string[] }) =>
      linesOf((lines) => lines.stuck(handle, { type: 'stuck', blockedMs: 1, report: { requests: [], native } }))[0];
    expect(wordsFor({ state: 'waiting', children: ['78 /bin/sh -c sleep 60'] })).to.deep.include({
      message: 'it is not in JavaScript: it waits in a synchronous system call',
      children: ['78 /bin/sh -c sleep 60'],
    });
    const computing = wordsFor({ state: 'computing', children: [] });
    expect(computing).to.include({ message: 'it is not in JavaScript: it computes in native code' });
    expect(computing).to.not.have.property('children');
    expect(wordsFor()).to.include({ message: 'the watchdog could not read what blocks the worker' });
  });

  it('has a line for each other news', () => {
    const all = linesOf((lines) => {
      lines.watched(handle);
      lines.recovered(handle, 5);
      lines.silent(handle, 6);
      lines.heard(handle, 7);
      lines.garbled(handle);
    });
    expect(all.map(({ level, event }) => `${String(level)} ${String(event)}`)).to.deep.equal([
      'debug worker.watched',
      'info worker.recovered',
      'warn worker.silent',
      'info worker.heard',
      'warn worker.garbled',
    ]);
  });
});
