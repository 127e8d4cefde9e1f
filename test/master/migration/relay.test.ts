import { expect } from 'chai';
import { Relay } from '../../../src/master/migration/relay.ts';
import type { Target } from '../../../src/master/migration/targets.ts';
import type { MasterToWorker, MovingConnection } from '../../../src/shared/protocol/messages.ts';
import type { PassedHandle } from '../../../src/shared/node-private/node-private.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const connection: MovingConnection = {
  peer: { serverName: '', serverPort: '', remoteAddress: '', remotePort: '', scheme: 'http' },
};

class FakeHandle implements PassedHandle {
  closed = 0;
  close(): void {
    this.closed += 1;
  }
}

class FakeWorker implements Target {
  readonly generation: { number: number };
  connections = 0;
  connected = true;
  readonly sent: MasterToWorker[] = [];
  /** what the next message comes to */
  failure: Error | null = null;
  /** what was not told yet of messages, when it is to be told later */
  late: Array<(error: Error | null) => void> | undefined;

  constructor(generation: number) {
    this.generation = { number: generation };
  }
  noteConnection(): void {
    this.connections += 1;
  }
  send(message: MasterToWorker, _handle?: PassedHandle, done?: (error: Error | null) => void): void {
    this.sent.push(message);
    if (this.late && done) this.late.push(done);
    else done?.(this.failure);
  }
  /** the numbers of the messages of one type */
  ids(type: MasterToWorker['type']): number[] {
    return this.sent.flatMap((message) => (message.type === type && 'id' in message ? [message.id] : []));
  }
}

function make(...targets: FakeWorker[]) {
  const ready = new Set(targets);
  const relay = new Relay(() => [...ready]);
  onEnd(() => relay.close());
  const origin = new FakeWorker(1);
  const give = (id: number): FakeHandle => {
    const handle = new FakeHandle();
    relay.onMessage(origin, { type: 'move', id, connection }, handle);
    return handle;
  };
  const die = (worker: FakeWorker) => {
    ready.delete(worker);
    return relay.gone(worker);
  };
  return { relay, origin, ready, give, die };
}

describe('the relay of moving connections', () => {
  it('offers, and lets go when it is confirmed', () => {
    const b = new FakeWorker(2);
    const { relay, origin, give } = make(b);
    const handle = give(7);
    const [id] = b.ids('adopt');
    expect([b.connections, handle.closed, relay.size]).to.deep.equal([1, 0, 1]);
    relay.onMessage(b, { type: 'adopted', id: id! }, undefined);
    expect([handle.closed, relay.size]).to.deep.equal([1, 0]);
    expect(origin.sent).to.deep.equal([{ type: 'moved', id: 7 }]);
    expect(relay.gone(origin)).to.deep.equal({ moved: 1, returned: 0 });
    // A confirmation too many changes nothing.
    relay.onMessage(b, { type: 'adopted', id: id! }, undefined);
    expect(handle.closed).to.equal(1);
  });

  it('spreads connections by what it has given itself', () => {
    const [b, c] = [new FakeWorker(2), new FakeWorker(2)];
    const { give } = make(b, c);
    for (let id = 1; id <= 6; id += 1) give(id);
    expect([b.connections, c.connections]).to.deep.equal([3, 3]);
  });

  it('returns what nobody can take', () => {
    const { relay, origin, give } = make();
    const handle = give(1);
    expect(origin.sent).to.deep.equal([{ type: 'move-back', id: 1, because: 'no-worker' }]);
    expect([handle.closed, relay.size]).to.deep.equal([1, 0]);
  });

  it('offers to another worker what one that died had not confirmed', () => {
    const [b, c] = [new FakeWorker(3), new FakeWorker(2)];
    const { relay, origin, give, die } = make(b, c);
    const [first, second] = [give(1), give(2)];
    const [one, two] = b.ids('adopt');
    relay.onMessage(b, { type: 'adopted', id: one! }, undefined);
    die(b);
    expect(c.ids('adopt')).to.have.lengthOf(1);
    expect(c.ids('adopt')).to.not.include(two);
    relay.onMessage(c, { type: 'adopted', id: c.ids('adopt')[0]! }, undefined);
    expect([first.closed, second.closed]).to.deep.equal([1, 1]);
    expect(origin.ids('moved')).to.deep.equal([1, 2]);
  });

  it('offers to another worker what one refuses that ends', () => {
    const [b, c] = [new FakeWorker(3), new FakeWorker(2)];
    const { relay, origin, ready, give } = make(b, c);
    give(1);
    ready.delete(b);
    relay.onMessage(b, { type: 'refused', id: b.ids('adopt')[0]! }, undefined);
    relay.onMessage(c, { type: 'adopted', id: c.ids('adopt')[0]! }, undefined);
    expect([origin.ids('moved'), origin.ids('move-back')]).to.deep.equal([[1], []]);
  });

  it('returns what a dead worker had not confirmed when there is no other', () => {
    const b = new FakeWorker(2);
    const { origin, give, die } = make(b);
    give(1);
    die(b);
    expect(origin.sent).to.deep.equal([{ type: 'move-back', id: 1, because: 'no-worker' }]);
  });

  it('returns what could not be sent', () => {
    const b = new FakeWorker(2);
    const { origin, give } = make(b);
    b.failure = new Error('no such handle type');
    give(1);
    expect(origin.sent).to.deep.equal([{ type: 'move-back', id: 1, because: 'not-received' }]);
  });

  it('asks a silent worker, and returns what it never got', async () => {
    const b = new FakeWorker(2);
    const { relay, origin, give } = make(b);
    const handle = give(1);
    const asked = () => b.sent.find((message) => message.type === 'sync');
    await waitFor('the question', () => asked() !== undefined);
    relay.onMessage(b, { type: 'synced', upTo: (asked() as { upTo: number }).upTo, here: [] }, undefined);
    expect(handle.closed).to.equal(1);
    expect(origin.sent).to.deep.equal([{ type: 'move-back', id: 1, because: 'not-received' }]);
  });

  it('gives nothing more to a silent worker until it answers, and nothing of what it has to another one', async () => {
    const [b, c] = [new FakeWorker(2), new FakeWorker(2)];
    const { relay, origin, give, die } = make(b, c);
    const kept = give(1);
    const [id] = b.ids('adopt');
    const asked = () => b.sent.find((message) => message.type === 'sync');
    await waitFor('the question', () => asked() !== undefined);
    c.connections = 100;
    give(2);
    give(3);
    expect([b.ids('adopt'), c.ids('adopt').length, kept.closed]).to.deep.equal([[id], 2, 0]);
    relay.onMessage(b, { type: 'adopted', id: id! }, undefined);
    relay.onMessage(b, { type: 'synced', upTo: (asked() as { upTo: number }).upTo, here: [] }, undefined);
    give(4);
    expect([b.ids('adopt').length, c.ids('adopt').length, origin.ids('moved')]).to.deep.equal([2, 2, [1]]);
    die(b); // what it had not confirmed goes elsewhere, as ever
    expect(c.ids('adopt')).to.have.lengthOf(3);
  });

  it('gives to a silent worker when there is no other', async () => {
    const b = new FakeWorker(2);
    const { give } = make(b);
    give(1);
    await waitFor('the question', () => b.sent.some(({ type }) => type === 'sync'));
    give(2);
    expect(b.ids('adopt')).to.have.lengthOf(2);
  });

  it('takes no news amiss that comes late or twice', () => {
    const b = new FakeWorker(2);
    b.late = [];
    const { relay, origin, give, die } = make(b);
    const [first, second] = [give(1), give(2)];
    relay.gone(origin);
    relay.gone(origin);
    relay.onMessage(b, { type: 'adopted', id: b.ids('adopt')[0]! }, undefined);
    die(b);
    die(b);
    for (const told of b.late) told(new Error('the channel is closed'));
    expect([first.closed, second.closed, relay.size]).to.deep.equal([1, 0, 1]);
    relay.close();
    relay.close();
    expect(second.closed).to.equal(1);
  });

  it('gives up on a worker whose channel has closed although it lives', async () => {
    const b = new FakeWorker(2);
    const { origin, ready, give } = make(b);
    give(1);
    ready.delete(b);
    b.connected = false;
    await waitFor('the connection to be returned', () => origin.ids('move-back').length === 1);
  });

  it('does not take the answer to an old question for one about a later offer', () => {
    const [b, c] = [new FakeWorker(3), new FakeWorker(2)];
    const { relay, origin, give, die } = make(b, c);
    const handle = give(1);
    const asked = b.ids('adopt')[0]!;
    die(b);
    // c was asked before, and answers now: its offer is under way.
    relay.onMessage(c, { type: 'synced', upTo: asked, here: [] }, undefined);
    expect([handle.closed, origin.sent.length]).to.deep.equal([0, 0]);
    relay.onMessage(c, { type: 'adopted', id: c.ids('adopt')[0]! }, undefined);
    expect(origin.ids('moved')).to.deep.equal([1]);
  });

  it('tells the origin what is still here', () => {
    const b = new FakeWorker(2);
    const { relay, origin, give } = make(b);
    give(3);
    give(4);
    relay.onMessage(b, { type: 'adopted', id: b.ids('adopt')[0]! }, undefined);
    // 5 came without its descriptor.
    relay.onMessage(origin, { type: 'move', id: 5, connection }, undefined);
    relay.onMessage(origin, { type: 'sync', upTo: 5 }, undefined);
    expect(origin.sent.at(-1)).to.deep.equal({ type: 'synced', upTo: 5, here: [4] });
  });

  describe('when the origin has died', () => {
    it('goes on with what is here', () => {
      const b = new FakeWorker(2);
      const { relay, origin, give } = make(b);
      const handle = give(1);
      relay.gone(origin);
      relay.onMessage(b, { type: 'adopted', id: b.ids('adopt')[0]! }, undefined);
      expect(handle.closed).to.equal(1);
      expect(origin.sent).to.deep.equal([]);
    });

    it('keeps a connection until there is a worker, and takes no death amiss', () => {
      const [b, c] = [new FakeWorker(2), new FakeWorker(2)];
      const { relay, origin, ready, give, die } = make(b);
      const handle = give(1);
      relay.gone(origin);
      die(b);
      expect([handle.closed, relay.size]).to.deep.equal([0, 1]);
      ready.add(c);
      relay.flush();
      relay.onMessage(c, { type: 'adopted', id: c.ids('adopt')[0]! }, undefined);
      expect([handle.closed, relay.size]).to.deep.equal([1, 0]);
    });

    it('tries again what a worker did not get', async () => {
      const b = new FakeWorker(2);
      const { relay, origin, give } = make(b);
      const handle = give(1);
      relay.gone(origin);
      relay.onMessage(b, { type: 'synced', upTo: b.ids('adopt')[0]!, here: [] }, undefined);
      await waitFor('a second offer', () => b.ids('adopt').length === 2);
      expect(handle.closed).to.equal(0);
      relay.onMessage(b, { type: 'adopted', id: b.ids('adopt')[1]! }, undefined);
      expect(handle.closed).to.equal(1);
    });
  });

  it('closes what is left when no worker will come', () => {
    const b = new FakeWorker(2);
    const { relay, give } = make(b);
    const handles = [give(1), give(2)];
    relay.close();
    expect(handles.map(({ closed }) => closed)).to.deep.equal([1, 1]);
    expect(relay.size).to.equal(0);
  });

  it('goes on with what another master has here, and takes back what it refuses or has never got', () => {
    const nextMaster = new FakeWorker(Infinity);
    const { relay, origin, give } = make(nextMaster);
    const handles = [1, 2, 3].map(give);
    const [refused, waiting, lost] = nextMaster.ids('adopt');
    relay.onMessage(nextMaster, { type: 'refused', id: refused! }, undefined);
    expect(origin.ids('move-back')).to.deep.equal([1]);
    relay.onMessage(nextMaster, { type: 'synced', upTo: lost!, here: [waiting!] }, undefined);
    expect(origin.ids('move-back')).to.deep.equal([1, 3]);
    relay.onMessage(nextMaster, { type: 'adopted', id: waiting! }, undefined);
    expect(origin.ids('moved')).to.deep.equal([2]);
    expect(handles.map(({ closed }) => closed)).to.deep.equal([1, 1, 1]);
  });
});
