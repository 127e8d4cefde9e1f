import { expect } from 'chai';
import type { MovingConnection, MovingToMaster } from '../../../src/shared/protocol/messages.ts';
import { Mover, slowAfterMs, syncAfterMs } from '../../../src/worker/migration/mover.ts';
import type { Movable, DetachedConnection } from '../../../src/worker/migration/mover.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const connection: MovingConnection = {
  peer: { serverName: '', serverPort: '', remoteAddress: '', remotePort: '', scheme: 'http' },
};

class FakeConnection implements Movable {
  readonly transport = {};
  state: 'served' | 'under way' | 'moved' = 'served';
  isBusy = false;

  detach(): DetachedConnection | undefined {
    if (this.isBusy) return undefined;
    this.state = 'under way';
    return {
      handle: { close() {} },
      connection,
      drop: () => (this.state = 'moved'),
      resume: () => (this.state = 'served'),
    };
  }
}

function make() {
  const sent: MovingToMaster[] = [];
  const written: Array<(error: Error | null) => void> = [];
  const clock = { nowMs: 0 };
  const mover = new Mover({
    send: (message, _handle, done) => {
      sent.push(message);
      if (done) written.push(done);
    },
    nowMs: () => clock.nowMs,
  });
  const ids = () => sent.flatMap((message) => (message.type === 'move' ? [message.id] : []));
  const confirmAll = () => {
    for (const id of ids()) mover.receive({ type: 'moved', id });
  };
  return { mover, sent, written, clock, ids, confirmAll };
}

const states = (connections: readonly FakeConnection[], state: FakeConnection['state']) =>
  connections.filter((one) => one.state === state).length;
const crowd = (count: number) => Array.from({ length: count }, () => new FakeConnection());

describe('the mover of a worker that retires', () => {
  it('lets a few go at a time, and each gets its turn', () => {
    const { mover, ids, confirmAll } = make();
    const connections = crowd(20);
    mover.order('move', 60_000);
    const gone = connections.map((one) => mover.offer(one));
    const windowSize = gone.filter(Boolean).length;
    expect(windowSize).to.be.within(4, 8);
    expect(states(connections, 'under way')).to.equal(windowSize);
    expect(mover.hasRoom).to.equal(false);
    mover.receive({ type: 'moved', id: ids()[0]! });
    expect(states(connections, 'under way')).to.equal(windowSize);
    for (let rounds = 0; rounds < 20; rounds += 1) confirmAll();
    expect(states(connections, 'moved')).to.equal(20);
    expect(ids()).to.have.lengthOf(20);
    expect(mover.isEmpty).to.equal(true);
  });

  it('is not empty while its last connection leaves', () => {
    const { mover, confirmAll } = make();
    const seen: boolean[] = [];
    mover.onChange(() => seen.push(mover.isEmpty));
    class Last extends FakeConnection {
      override detach(): DetachedConnection | undefined {
        seen.push(mover.isEmpty); // a server without connections looks whether it may end
        return super.detach();
      }
    }
    mover.order('move', 60_000);
    mover.offer(new Last());
    expect(seen).to.deep.equal([false, false]);
    confirmAll();
    expect(seen).to.deep.equal([false, false, true]);
  });

  it('tells that it may be empty when one ends instead of leaving', () => {
    const { mover } = make();
    const seen: boolean[] = [];
    mover.onChange(() => seen.push(mover.isEmpty));
    const busy = new FakeConnection();
    busy.isBusy = true;
    mover.order('move', 60_000);
    mover.offer(busy);
    expect(seen).to.deep.equal([true]);
  });

  it('waits for a worker to go to, and has nobody told to close meanwhile', () => {
    const { mover, ids, clock } = make();
    const one = new FakeConnection();
    mover.order('wait', 10_000);
    expect(mover.offer(one)).to.equal(false);
    expect([ids().length, mover.expects(one.transport)]).to.deep.equal([0, true]);
    clock.nowMs = 5_000;
    expect(mover.expects(one.transport)).to.equal(false);
    mover.order('move', 60_000);
    expect(one.state).to.equal('under way');
  });

  it('passes over who is busy when its turn comes', () => {
    const { mover, ids } = make();
    mover.order('move', 60_000);
    while (mover.hasRoom) mover.offer(new FakeConnection());
    const [busy, free, closed] = crowd(3) as [FakeConnection, FakeConnection, FakeConnection];
    for (const one of [busy, closed, free]) mover.offer(one);
    busy.isBusy = true;
    mover.forget(closed);
    mover.receive({ type: 'moved', id: ids()[0]! });
    expect([busy.state, free.state, closed.state]).to.deep.equal(['served', 'under way', 'served']);
    busy.isBusy = false;
    mover.receive({ type: 'moved', id: ids()[1]! });
    expect(busy.state).to.equal('served'); // it offers itself again, after its response
    expect(mover.offer(busy)).to.equal(true);
  });

  it('serves on what was not received, tries it thrice, and then keeps it', () => {
    const { mover, ids } = make();
    const one = new FakeConnection();
    mover.order('move', 60_000);
    for (let times = 1; times <= 3; times += 1) {
      expect(mover.expects(one.transport)).to.equal(true);
      expect(mover.offer(one)).to.equal(true);
      mover.receive({ type: 'move-back', id: ids().at(-1)!, because: 'not-received' });
      expect(one.state).to.equal('served');
    }
    expect(mover.offer(one)).to.equal(false);
    expect(mover.expects(one.transport)).to.equal(false);
  });

  it('waits for the next order when there is nobody to go to', () => {
    const { mover, ids } = make();
    const [one, two] = crowd(2) as [FakeConnection, FakeConnection];
    mover.order('move', 60_000);
    mover.offer(one);
    mover.receive({ type: 'move-back', id: ids()[0]!, because: 'no-worker' });
    expect([mover.offer(one), mover.offer(two)]).to.deep.equal([false, false]);
    expect([mover.expects(one.transport), ids().length]).to.deep.equal([true, 1]);
    mover.order('move', 60_000);
    expect([one.state, two.state]).to.deep.equal(['under way', 'under way']);
  });

  it('asks when nothing is confirmed, and serves on what never arrived', async () => {
    const { mover, sent, ids } = make();
    const [lost, slow] = crowd(2) as [FakeConnection, FakeConnection];
    mover.order('move', 60_000);
    mover.offer(lost);
    mover.offer(slow);
    await waitFor('the question', () => sent.some(({ type }) => type === 'sync'), { withinMs: syncAfterMs + 5_000 });
    const later = new FakeConnection();
    mover.offer(later);
    mover.receive({ type: 'synced', upTo: 2, here: [ids()[1]!] });
    expect([lost.state, slow.state, later.state]).to.deep.equal(['served', 'under way', 'under way']);
    mover.receive({ type: 'moved', id: ids()[1]! });
    mover.receive({ type: 'moved', id: ids()[2]! });
    expect(mover.isEmpty).to.equal(true);
  });

  it('goes on past what is not confirmed, with a few at a time and a bound, and keeps what it has sent', async () => {
    const { mover, ids, clock } = make();
    const connections = crowd(200);
    mover.order('move', 60_000);
    for (const one of connections) mover.offer(one);
    const stuck = new Set(ids());
    const windowSize = stuck.size;
    const underWay = () => states(connections, 'under way');
    const confirmRest = () => {
      for (const id of ids()) if (!stuck.has(id)) mover.receive({ type: 'moved', id });
    };
    const becomeSlow = async () => {
      const before = ids().length;
      clock.nowMs += slowAfterMs;
      await waitFor('others to leave', () => ids().length > before);
    };
    await becomeSlow();
    expect(underWay()).to.equal(2 * windowSize);
    // One target is silent, another one answers: whatever is left goes there.
    for (let rounds = 0; rounds < 20; rounds += 1) confirmRest();
    expect([states(connections, 'moved'), underWay()]).to.deep.equal([20 * windowSize, 2 * windowSize]);
    // Others fall silent in turn, until the bound.
    while (mover.hasRoom || underWay() < 64) {
      const [last] = ids().slice(-1);
      for (const id of ids().slice(0, -1)) stuck.add(id);
      mover.receive({ type: 'moved', id: last! });
      await becomeSlow();
    }
    expect(underWay()).to.equal(64);
    for (let rounds = 0; rounds < 200; rounds += 1) for (const id of ids()) mover.receive({ type: 'moved', id });
    expect([states(connections, 'moved'), mover.isEmpty]).to.deep.equal([200, true]);
  });

  it('sends no more than a few when nobody answers at all', async () => {
    const { mover, sent, ids, clock } = make();
    const connections = crowd(50);
    mover.order('move', 60_000);
    for (const one of connections) mover.offer(one);
    const windowSize = ids().length;
    for (let times = 1; times <= 3; times += 1) {
      clock.nowMs += slowAfterMs;
      const asked = sent.filter(({ type }) => type === 'sync').length;
      await waitFor('the next look', () => sent.filter(({ type }) => type === 'sync').length > asked);
    }
    expect(ids()).to.have.lengthOf(2 * windowSize);
    mover.receive({ type: 'moved', id: ids()[0]! });
    expect(mover.hasRoom).to.equal(false);
    expect(ids().length).to.be.greaterThan(2 * windowSize);
  });

  it('answers a question: what came was adopted at once', () => {
    const { mover, sent } = make();
    mover.receive({ type: 'sync', upTo: 9 });
    expect(sent).to.deep.equal([{ type: 'synced', upTo: 9, here: [] }]);
  });

  it('closes what has left when the channel is lost, and serves on what has not', () => {
    const { mover, written } = make();
    const [left, stuck, queued] = crowd(3) as [FakeConnection, FakeConnection, FakeConnection];
    mover.order('move', 60_000);
    mover.offer(left);
    mover.offer(stuck);
    written[0]!(null);
    mover.channelLost();
    expect([left.state, stuck.state]).to.deep.equal(['moved', 'served']);
    expect(mover.offer(queued)).to.equal(false);
  });

  it('serves on what could not be sent', () => {
    const { mover, written } = make();
    const one = new FakeConnection();
    mover.order('move', 60_000);
    mover.offer(one);
    written[0]!(new Error('no such handle type'));
    expect(one.state).to.equal('served');
  });

  it('expects connections to move for half of the grace time, however often it is told to begin', () => {
    const { mover, clock } = make();
    const { transport } = new FakeConnection();
    mover.order('move', 10_000);
    clock.nowMs = 4_999;
    expect(mover.expects(transport)).to.equal(true);
    mover.order('move', 5_001);
    clock.nowMs = 5_000;
    expect(mover.expects(transport)).to.equal(false);
  });

  it('lets nothing more leave once it is stopped, and tells when all has arrived', () => {
    const { mover, confirmAll } = make();
    const connections = crowd(10);
    let empty = 0;
    mover.onChange(() => (empty += mover.isEmpty ? 1 : 0));
    mover.order('move', 60_000);
    for (const one of connections) mover.offer(one);
    const underWay = states(connections, 'under way');
    mover.stop();
    mover.order('move', 60_000);
    confirmAll();
    expect(states(connections, 'moved')).to.equal(underWay);
    expect([empty, mover.expects(connections[9]!.transport)]).to.deep.equal([1, false]);
  });
});
