import { expect } from 'chai';
import { Batches } from '../../../src/worker/access-log/batches.ts';
import type { Sink, Written } from '../../../src/worker/access-log/batches.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor } from '../../helpers/wait-for.ts';

/** Takes what it is given when told to. */
class FakeSink implements Sink {
  readonly batchBytes = 65_536;
  readonly writes: string[] = [];
  now = '';
  reopened = 0;
  #written: Written | undefined;
  #length = 0;

  get isWriting(): boolean {
    return this.#written !== undefined;
  }
  write(bytes: Buffer, written: Written): void {
    if (this.#written !== undefined) throw new Error('two writes at once');
    this.writes.push(bytes.toString());
    this.#length = bytes.length;
    this.#written = written;
  }
  take(bytes = this.#length, error?: Error): void {
    const written = this.#written!;
    this.#written = undefined;
    written(bytes, error);
  }
  writeNow(bytes: Buffer): void {
    this.now += bytes.toString();
  }
  reopen(): void {
    this.reopened += 1;
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

function batchesOn(sink: Sink) {
  const failures: string[] = [];
  const resumed: number[] = [];
  const lost: number[] = [];
  const batches = new Batches(sink, {
    ended: (dropped) => void lost.push(dropped),
    failed: (error) => void failures.push(error.message),
    resumed: (dropped) => void resumed.push(dropped),
  });
  onEnd(() => batches.close());
  return { batches, failures, resumed, lost };
}

const line = `${'x'.repeat(99)}\n`;

describe('batches of access lines', () => {
  it('leave when they are large, or after a moment', async () => {
    const sink = new FakeSink();
    const { batches } = batchesOn(sink);
    for (let count = 0; count < 700; count += 1) batches.add(line);
    expect(sink.writes.map((one) => one.length)).to.deep.equal([65_600]);
    sink.take();
    await waitFor('the rest', () => sink.isWriting);
    sink.take();
    expect(sink.writes.join('')).to.equal(line.repeat(700));
  });

  it('are written one at a time, and what was not taken again', async () => {
    const sink = new FakeSink();
    const { batches, failures, resumed } = batchesOn(sink);
    batches.add('first\n');
    await waitFor('the first', () => sink.isWriting);
    batches.add('second\n');
    sink.take(2);
    expect(sink.writes).to.deep.equal(['first\n', 'rst\n']);
    sink.take();
    await waitFor('the second', () => sink.isWriting);
    sink.take(0, new Error('disk full'));
    expect(sink.isWriting).to.equal(false);
    batches.add('third\n');
    await waitFor('another try', () => sink.isWriting);
    sink.take(3, new Error('disk full'));
    await waitFor('a third try', () => sink.isWriting);
    sink.take();
    await waitFor('what came meanwhile', () => sink.isWriting);
    sink.take();
    expect(sink.writes).to.deep.equal(['first\n', 'rst\n', 'second\n', 'second\n', 'ond\n', 'third\n']);
    expect(failures).to.deep.equal(['disk full', 'disk full']);
    expect(resumed).to.deep.equal([0]);
  });

  it('wait up to a limit; lines beyond it are counted', async () => {
    const sink = new FakeSink();
    const { batches, failures, resumed } = batchesOn(sink);
    const add = () => (batches.isFull ? batches.drop() : batches.add(line));
    for (let count = 0; count < 100_000; count += 1) add();
    const kept = 656 + 10_496;
    expect(sink.writes).to.have.length(1);
    sink.take();
    expect(sink.writes[1]!.length, 'a megabyte waits').to.be.within(2 ** 20, 2 ** 20 + 4096);
    sink.take();
    expect(failures).to.deep.equal(['lines come faster than they can be written']);
    expect(resumed).to.deep.equal([100_000 - kept]);
    batches.add('again\n');
    await waitFor('lines again', () => sink.isWriting);
    sink.take();
    expect(sink.writes.at(-1)).to.equal('again\n');
  });

  it('are written at the end, all of them', async () => {
    const sink = new FakeSink();
    const { batches, failures, lost } = batchesOn(sink);
    batches.add('one\n');
    const closed = batches.close();
    expect(sink.writes).to.deep.equal(['one\n']);
    batches.add('two\n');
    sink.take();
    expect(sink.writes).to.deep.equal(['one\n', 'two\n']);
    sink.take();
    await closed;
    expect(batches.isFull, 'nothing is taken any more').to.equal(true);
    batches.drop();
    expect([failures, lost]).to.deep.equal([[], [0]]);
  });

  it('are given up at the end when they cannot be written, and counted', async () => {
    const sink = new FakeSink();
    const { batches, failures, lost } = batchesOn(sink);
    batches.add('one\ntwo\n');
    const closed = batches.close();
    batches.add('three\n');
    sink.take(0, new Error('gone'));
    await closed;
    expect(failures).to.deep.equal(['gone']);
    expect(lost).to.deep.equal([3]);
  });

  it('wait a second at the end for a write that hangs', async () => {
    const sink = new FakeSink();
    const { batches } = batchesOn(sink);
    batches.add('one\n');
    await batches.close();
    sink.take();
    expect(sink.writes).to.deep.equal(['one\n']);
  });
});
