import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { nodeWorkerThreads } from '../../../src/shared/lazy-node.ts';
import type { Logger } from '../../../src/shared/log/log.ts';
import { isDebuggable, startsOnce, watchdogStarter } from '../../../src/worker/watchdog/watchdog.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { fakeTime } from '../helpers/fake-time.ts';

describe('the start of a watchdog', () => {
  it('happens once', () => {
    const time = fakeTime();
    let starts = 0;
    const start = startsOnce(() => (starts += 1));
    for (let call = 0; call < 3; call += 1) {
      start();
      time.pass(1_000);
    }
    expect(starts).to.equal(1);
  });

  it('is tried again when it failed, at once or later, at most once a second', () => {
    const time = fakeTime();
    const failures: Array<() => void> = [];
    const start = startsOnce((onFailure) => {
      if (failures.push(onFailure) === 1) onFailure();
    });
    start();
    start();
    time.pass(999);
    start();
    expect(failures).to.have.length(1);
    time.pass(1);
    start();
    time.pass(1_000);
    start();
    expect(failures).to.have.length(2);
    failures[1]!();
    start();
    start();
    expect(failures).to.have.length(3);
  });

  /** Stands in for node:worker_threads: without a free descriptor a thread reports that after its constructor. */
  function failingThreads(code: string) {
    const modules = nodeWorkerThreads() as { Worker: unknown };
    const { Worker } = modules;
    onEnd(() => {
      modules.Worker = Worker;
    });
    const threads: EventEmitter[] = [];
    modules.Worker = class extends EventEmitter {
      constructor() {
        super();
        threads.push(this);
      }
      unref(): void {}
    };
    const fail = (): void => {
      threads.at(-1)!.emit('error', Object.assign(new Error('EMFILE'), { code }));
      threads.at(-1)!.emit('exit', 0);
    };
    return { threads, fail };
  }

  for (const { code, starts } of [
    { code: 'ERR_WORKER_INIT_FAILED', starts: 3 },
    // It may have closed its descriptor, whose number may now be that of a connection.
    { code: 'ERR_WORKER_OUT_OF_MEMORY', starts: 1 },
  ]) {
    it(`is tried ${starts} times in three seconds with ${code}, which is logged once`, () => {
      const time = fakeTime();
      const { threads, fail } = failingThreads(code);
      const lines: string[] = [];
      const log = { warn: (event: string) => lines.push(event) } as unknown as Logger;
      const watched = { requestsUnderWay: () => [], lastWords: () => {} };
      const start = watchdogStarter({ fd: -1, stuckMs: 30_000 }, watched, log);
      for (let second = 0; second < 3; second += 1) {
        const before = threads.length;
        start();
        if (threads.length > before) fail();
        time.pass(1_000);
      }
      expect(threads).to.have.length(starts);
      expect(lines).to.deep.equal(['worker.unwatched']);
      expect(time.intervals).to.equal(0);
    });
  }
});

describe('a process that may be debugged', () => {
  for (const flag of ['--inspect', '--inspect-brk', '--inspect=0', '--inspect-port=9230'])
    it(`has the flag ${flag}`, () => {
      expect(isDebuggable(['--enable-source-maps', flag])).to.equal(true);
    });
  it('has no such flag by default', () => {
    expect(isDebuggable(['--enable-source-maps'])).to.equal(false);
  });
});
