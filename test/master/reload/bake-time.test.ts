import { expect } from 'chai';
import type { ReloadError } from '../../../src/master/outcomes/results.ts';
import type { OptionsInput } from '../../../src/shared/options/table.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { fakeCrew, rejection } from '../helpers/fake-crew.ts';
import type { Behaviour, FakeCrew } from '../helpers/fake-crew.ts';

interface Baking {
  crew: FakeCrew;
  /** workers of the first generation */
  old: number[];
  outcome: Promise<unknown>;
}

/** A reload that is live and bakes. */
async function baking(input: OptionsInput = {}, behaviour: Behaviour = {}): Promise<Baking> {
  const crew = await fakeCrew({}, { bake: '1h', ...input });
  await crew.master.start();
  const old = crew.pids();
  crew.behave(behaviour);
  const outcome = crew.master.reload().catch((error: unknown) => error);
  await crew.until('reload:live');
  expect(crew.master.status()).to.deep.include({
    state: 'baking',
    generation: 1,
    candidate: 2,
    reload: { generation: 2, phase: 'baking' },
  });
  return { crew, old, outcome };
}
const statesOf = ({ master }: FakeCrew, generation: number) =>
  master
    .status()
    .workers.filter((worker) => worker.generation === generation)
    .map(({ state }) => state);
const pidsOf = ({ master }: FakeCrew, generation: number) =>
  master
    .status()
    .workers.filter((worker) => worker.generation === generation)
    .map(({ pid }) => pid!);

describe('a reload with a bake time', () => {
  it('keeps the old generation on standby, and lets it leave when the time has passed', async () => {
    const { crew, outcome } = await baking({ bake: '300ms' });
    expect(statesOf(crew, 1)).to.deep.equal(['standby', 'standby']);
    expect(await outcome).to.include({ generation: 2, replaced: 2, moved: 0, drained: 10, cut: 0 });
    await crew.settled(2, 2);
    expect(crew.master.status()).to.deep.include({ generation: 2, reload: { generation: 2, phase: 'done' } });
    expect(crew.lines('worker.standby')).to.have.length(2);
    expect(crew.lines('worker.resumed')).to.have.length(0);
  });

  it('goes back to the same old processes when too many answers are errors, and says why', async () => {
    const { crew, old, outcome } = await baking();
    await waitFor('the old ones to rest', async () => (await crew.ask())[0] === 2);
    process.kill(pidsOf(crew, 2)[1]!, 'SIGUSR1');
    const error = (await outcome) as ReloadError;
    expect(error).to.include({ code: 'RELOAD_ROLLED_BACK' });
    expect(error.message).to.match(
      /^reload to generation 2 was rolled back, the old one serves again: 900 of 1100 responses/,
    );
    expect(error.result).to.include({ generation: 2, replaced: 2 });
    expect(error.result.reason).to.match(/^900 of 1100 responses were 5xx \(81\.8 %\)/);
    await crew.settled(2, 1);
    expect(crew.pids()).to.deep.equal(old);
    await waitFor('the old ones to accept', async () => (await crew.ask())[0] === 1);
    expect(crew.lines('reload.rolled-back')[0]).to.include({ generation: 2, code: 'RELOAD_ROLLED_BACK' });
    expect(crew.lines('reload.failed')).to.deep.equal([]);
    const { reload } = crew.master.status();
    expect(reload).to.include({ generation: 2, phase: 'rolled-back', reason: error.result.reason });
    await crew.until('reload:failed');
  });

  it('is taken back in the middle already when the first new worker fails', async () => {
    const crew = await fakeCrew({}, { bake: '1h', workers: 3 });
    await crew.master.start();
    const old = crew.pids();
    crew.behave({ stats: { answers5xx: 900 } });
    expect(await rejection(crew.master.reload())).to.include({ code: 'RELOAD_ROLLED_BACK' });
    await crew.settled(3, 1);
    expect(crew.pids()).to.deep.equal(old);
  });

  it('goes back when more workers die than may', async () => {
    const { crew, old, outcome } = await baking();
    process.kill(pidsOf(crew, 2)[0]!, 'SIGKILL');
    await crew.until('worker:ready', 5);
    expect(crew.master.status().state).to.equal('baking');
    process.kill(pidsOf(crew, 2)[0]!, 'SIGKILL');
    expect(((await outcome) as ReloadError).result.reason).to.match(/^2 workers died/);
    await crew.settled(2, 1);
    expect(crew.pids()).to.deep.equal(old);
  });

  it('goes back when a replacement cannot boot', async () => {
    const { crew, old, outcome } = await baking({ bakeMaxCrashes: 9 });
    crew.behave({ boot: 'fail' });
    process.kill(pidsOf(crew, 2)[0]!, 'SIGKILL');
    expect(await outcome).to.include({ code: 'RELOAD_ROLLED_BACK' });
    await crew.settled(2, 1);
    expect(crew.pids()).to.deep.equal(old);
  });

  it('lets the old ones accept while all new ones are dead, and rest again after that', async () => {
    const { crew, old } = await baking({ workers: 1, bakeMaxCrashes: 9 });
    const [pid] = pidsOf(crew, 2);
    process.kill(pid!, 'SIGKILL');
    await crew.until('worker:resumed');
    await crew.until('worker:standby', 2);
    expect(pidsOf(crew, 1)).to.deep.equal(old);
    expect(statesOf(crew, 2)).to.deep.equal(['ready']);
  });

  it('replaces an old one that died meanwhile by another one of its generation', async () => {
    const { crew, old, outcome } = await baking();
    process.kill(old[0]!, 'SIGKILL');
    await crew.until('worker:exit');
    process.kill(pidsOf(crew, 2)[0]!, 'SIGUSR1');
    await outcome;
    await crew.settled(2, 1);
    expect(crew.pids()).to.include(old[1]);
  });

  it('is accepted when the next reload comes', async () => {
    const { crew, outcome } = await baking();
    crew.behave({ boot: 'fail' });
    const next = rejection(crew.master.reload());
    expect(await outcome).to.include({ generation: 2, drained: 10 });
    expect(await next).to.include({ code: 'RELOAD_FAILED' });
    await crew.settled(2, 2);
  });

  it('is accepted when the master stops, which takes those on standby along', async () => {
    const { crew, outcome } = await baking();
    expect(await crew.master.stop()).to.include({ workers: 4, drained: 20 });
    expect(await outcome).to.include({ generation: 2, replaced: 2, drained: 10 });
  });

  it('follows scaling: the old generation comes back as large as it is wanted', async () => {
    const { crew, outcome } = await baking();
    await crew.master.scale(3);
    process.kill(pidsOf(crew, 2)[0]!, 'SIGUSR1');
    expect(await outcome).to.include({ code: 'RELOAD_ROLLED_BACK' });
    await crew.settled(3, 1);
  });

  it('retires one on standby that is sent TERM', async () => {
    const { crew, old } = await baking();
    process.kill(old[0]!, 'SIGTERM');
    await crew.until('worker:exit');
    expect(crew.lines('worker.retiring')[0]).to.include({ pid: old[0], reason: 'SIGTERM' });
    expect(statesOf(crew, 1)).to.deep.equal(['standby']);
    expect(crew.master.status().state).to.equal('baking');
  });
});
