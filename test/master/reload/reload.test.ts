import { renameSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ReloadError } from '../../../src/master/outcomes/results.ts';
import { EvyError } from '../../../src/shared/errors.ts';
import { resolveInput } from '../../../src/shared/options/input.ts';
import { certfile, keyfile, otherKeyfile } from '../../helpers/certificates.ts';
import { writeFiles } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { fakeCrew, rejection } from '../helpers/fake-crew.ts';
import type { FakeCrew } from '../helpers/fake-crew.ts';

/** The most live workers that were there at once, and the least that were ready, from what was emitted. */
function extremes(crew: FakeCrew): { mostLive: number; leastReady: number } {
  const live = new Set<unknown>();
  const ready = new Set<unknown>();
  let mostLive = 0;
  let leastReady = Infinity;
  for (const [name, info] of crew.events) {
    const { worker } = (info ?? {}) as { worker?: number };
    if (name === 'worker:spawned') live.add(worker);
    if (name === 'worker:ready') ready.add(worker);
    if (name === 'worker:retiring' || name === 'worker:exit') {
      live.delete(worker);
      ready.delete(worker);
    }
    mostLive = Math.max(mostLive, live.size);
    if (name === 'ready') leastReady = ready.size;
    leastReady = Math.min(leastReady, leastReady === Infinity ? Infinity : ready.size);
  }
  return { mostLive, leastReady };
}

describe('a reload', () => {
  it('brings in a new generation, canary first, each old worker after its replacement', async () => {
    const crew = await fakeCrew({}, { workers: 3 });
    await crew.master.start();
    const result = await crew.master.reload();
    expect(result).to.include({ generation: 2, replaced: 3, moved: 0, drained: 15, cut: 0 });
    expect(result.durationMs).to.be.above(0);
    await crew.settled(3, 2);
    expect((await crew.ask())[0]).to.equal(2);
    expect(extremes(crew)).to.deep.equal({ mostLive: 4, leastReady: 3 });
    const order = crew.events.map(([name]) => name);
    expect(order.indexOf('reload:started')).to.be.below(order.indexOf('reload:done'));
    const second = crew.events.filter(
      ([name, info]) => name.startsWith('worker:') && (info as { generation: number }).generation === 2,
    );
    expect(second.slice(0, 3).map(([name]) => name)).to.deep.equal([
      'worker:spawned',
      'worker:ready',
      'worker:spawned',
    ]);
    expect(crew.lines('reload.live')[0]).to.include({ generation: 2, replaced: 3 });
    expect(crew.lines('reload.done')).to.deep.equal([result]);
  });

  it('starts as many at a time as the new configuration says', async () => {
    let surge = 1;
    const crew: FakeCrew = await fakeCrew(
      {},
      { workers: 4 },
      { resolve: () => resolveInput({ app: crew.app, workers: 4, port: 0, surge }) },
    );
    await crew.master.start();
    surge = 3;
    expect(await crew.master.reload()).to.include({ replaced: 4 });
    await crew.settled(4, 2);
    expect(extremes(crew)).to.deep.equal({ mostLive: 7, leastReady: 4 });
    const order = crew.events
      .filter(([, info]) => (info as { generation?: number } | undefined)?.generation === 2)
      .map(([name]) => name)
      .filter((name) => name === 'worker:spawned' || name === 'worker:ready');
    expect(order.slice(0, 5)).to.deep.equal(['worker:spawned', 'worker:ready', ...Array(3).fill('worker:spawned')]);
  });

  for (const [boot, code] of [
    ['fail', 'APP_LOAD_FAILED'],
    ['crash', 'WORKERS_CANNOT_BOOT'],
    ['exit', 'WORKERS_CANNOT_BOOT'],
    ['hang', 'BOOT_TIMEOUT'],
  ] as const) {
    it(`that cannot boot (${boot}) leaves the old generation whole and tells why`, async () => {
      const crew = await fakeCrew({}, { bootTimeout: boot === 'hang' ? '6s' : '60s' });
      await crew.master.start();
      const pids = crew.pids();
      crew.behave({ boot });
      const error = await rejection(crew.master.reload());
      expect(error).to.include({ code: 'RELOAD_FAILED' });
      expect(error.cause).to.include({ code });
      expect((error as ReloadError).result).to.include({
        generation: 2,
        replaced: 0,
        cut: 0,
        reason: (error.cause as Error).message,
      });
      await crew.settled(2, 1);
      expect(crew.pids()).to.deep.equal(pids);
      expect(crew.lines('reload.failed')[0]).to.include({ generation: 2, code });
      const spawned = crew.events.filter(
        ([name, info]) => name === 'worker:spawned' && (info as { generation: number }).generation === 2,
      );
      expect(spawned).to.have.length(1);
      expect(crew.master.status()).to.include({ state: 'serving', generation: 1, candidate: null });
    });
  }

  it('that fails after its canary is undone: the old generation comes back whole', async () => {
    const crew = await fakeCrew({}, { workers: 3 });
    await crew.master.start();
    crew.behave({ boot: 'fail', goodBoots: 2 });
    const failed = rejection(crew.master.reload());
    // The third worker of the new generation fails; by then replacements of the old are to boot again.
    await crew.until('reload:failed');
    crew.behave({});
    expect((await failed).cause).to.include({ code: 'APP_LOAD_FAILED' });
    await crew.settled(3, 1);
    expect(extremes(crew)).to.deep.equal({ mostLive: 4, leastReady: 3 });
  });

  it('is undone when its workers keep dying right after they are ready', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    crew.behave({ boot: 'die' });
    const error = await rejection(crew.master.reload());
    expect(error.message).to.contain('exit code 9');
    crew.behave({});
    await crew.settled(2, 1);
  });

  it('supersedes the one before, whose workers leave', async () => {
    const crew = await fakeCrew({}, { workers: 3 });
    await crew.master.start();
    crew.behave({ boot: 'hang', goodBoots: 1 });
    const first = rejection(crew.master.reload());
    await waitFor('the canary', () =>
      crew.master.status().workers.some((one) => one.generation === 2 && one.state === 'ready'),
    );
    crew.behave({});
    const second = crew.master.reload();
    expect(await first).to.include({ code: 'RELOAD_SUPERSEDED' });
    expect(await second).to.include({ generation: 3 });
    await crew.settled(3, 3);
    expect(extremes(crew)).to.deep.equal({ mostLive: 4, leastReady: 3 });
  });

  it('supersedes one that is still reading its configuration', async () => {
    let release!: () => void;
    const held = new Promise<void>((resolve) => (release = resolve));
    let reads = 0;
    const crew: FakeCrew = await fakeCrew(
      {},
      {},
      {
        resolve: async () => {
          reads += 1;
          if (reads === 1) await held;
          return resolveInput({ app: crew.app, workers: 2, port: 0 });
        },
      },
    );
    await crew.master.start();
    const first = rejection(crew.master.reload());
    await waitFor('the first read', () => reads === 1);
    const second = crew.master.reload();
    expect(await first).to.include({ code: 'RELOAD_SUPERSEDED' });
    await second;
    release();
    await crew.settled(2, 3);
  });

  it('fails on a configuration that cannot be read, before any worker', async () => {
    const cause = new EvyError('BAD_CONFIG', 'evy.config.ts: no');
    const crew = await fakeCrew({}, {}, { resolve: () => Promise.reject(cause) });
    await crew.master.start();
    const error = await rejection(crew.master.reload());
    expect(error).to.include({ code: 'RELOAD_FAILED', cause });
    await crew.settled(2, 1);
  });

  it('fails on a bad certificate, the old generation serves on', async () => {
    const crew: FakeCrew = await fakeCrew(
      {},
      { bind: 'tls:127.0.0.1:0', certfile, keyfile },
      {
        resolve: () =>
          resolveInput({ app: crew.app, workers: 2, bind: 'tls:127.0.0.1:0', certfile, keyfile: otherKeyfile }),
      },
    );
    await crew.master.start();
    const error = await rejection(crew.master.reload());
    expect(error.cause).to.include({ code: 'BAD_CERTIFICATE' });
    await crew.settled(2, 1);
  });

  it('applies a changed number of workers, and names options that need a restart', async () => {
    const crew: FakeCrew = await fakeCrew(
      {},
      { workers: 2 },
      {
        resolve: () => resolveInput({ app: crew.app, workers: 3, port: 1, backlog: 7 }),
      },
    );
    await crew.master.start();
    await crew.master.reload();
    await crew.settled(3, 2);
    expect(crew.lines('option.ignored').map(({ option }) => option)).to.deep.equal(['port', 'backlog']);
  });

  it('keeps a number of workers that was set by hand', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    await crew.master.scale(3);
    await crew.master.reload();
    await crew.settled(3, 2);
  });

  it('follows scaling while it is under way', async () => {
    const crew = await fakeCrew({}, { workers: 3 });
    await crew.master.start();
    const done = crew.master.reload();
    await crew.until('worker:retiring');
    const scaled = crew.master.scale(2);
    await done;
    await scaled;
    await crew.settled(2, 2);
  });

  it('takes the place of dead workers while its canary boots', async () => {
    const crew = await fakeCrew();
    await crew.master.start();
    crew.behave({ boot: 'hang' });
    const failed = rejection(crew.master.reload());
    await waitFor('the canary to hang', () => statSync(`${crew.app}.boots`).size === 1);
    crew.behave({});
    for (const { pid, generation } of crew.master.status().workers) if (generation === 1) process.kill(pid!, 'SIGKILL');
    const oldOnes = () =>
      crew.master.status().workers.filter((one) => one.generation === 1 && one.state === 'ready' && one.worker > 3);
    await waitFor('replacements of the old generation', () => oldOnes().length === 2);
    await crew.master.stop({ graceMs: 100 });
    expect(await failed).to.include({ code: 'RELOAD_SUPERSEDED' });
  });

  it('looks for the application anew, and replacements run what their generation runs', async () => {
    const crew = await fakeCrew({}, { app: 'current/app.json' });
    await writeFiles(crew.folder, { 'one/app.json': '{}', 'two/app.json': '{"boot":"fail"}', 'three/app.json': '{}' });
    const point = (release: string) => {
      symlinkSync(release, join(crew.folder, 'next'));
      renameSync(join(crew.folder, 'next'), join(crew.folder, 'current'));
    };
    point('one');
    await crew.master.start();
    point('two');
    process.kill(crew.pids()[0]!, 'SIGKILL');
    await crew.until('worker:exit');
    await crew.settled(2, 1);
    expect((await rejection(crew.master.reload())).cause).to.include({ code: 'APP_LOAD_FAILED' });
    point('three');
    await crew.master.reload();
    await crew.settled(2, 3);
  });
});
