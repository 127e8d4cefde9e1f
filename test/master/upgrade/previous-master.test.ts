import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { inheritanceVariable } from '../../../src/master/sockets/inherited-sockets.ts';
import { encloseForMaster, fromPredecessor, fromSuccessor } from '../../../src/master/upgrade/upgrade-messages.ts';
import { findPredecessor, Predecessor } from '../../../src/master/upgrade/previous-master.ts';
import type { MovingConnection } from '../../../src/shared/protocol/messages.ts';

const connection: MovingConnection = {
  peer: { serverName: '', serverPort: '', remoteAddress: '', remotePort: '', scheme: 'http' },
};

class FakeChannel extends EventEmitter {
  connected = true;
  readonly sent: unknown[] = [];
  send(message: object): void {
    this.sent.push(fromSuccessor(message));
  }
}

function make() {
  const channel = new FakeChannel();
  const predecessor = new Predecessor({ from: 42, sockets: [] }, channel);
  const heard: unknown[] = [];
  predecessor.listen({
    onMoving: (party, message, handle) => heard.push([party === predecessor, message, handle]),
    onTakeOver: () => heard.push('take-over'),
    onReload: () => heard.push('reload'),
    onGone: (party) => heard.push(['gone', party === predecessor]),
  });
  return { channel, predecessor, heard };
}

describe('the master before', () => {
  it('is like a worker that gives its connections away', () => {
    const { channel, heard } = make();
    channel.emit('message', encloseForMaster({ type: 'adopt', id: 7, connection }), undefined);
    channel.emit('message', encloseForMaster({ type: 'sync', upTo: 7 }), undefined);
    channel.emit('message', encloseForMaster({ type: 'take-over' }), undefined);
    channel.emit('message', encloseForMaster({ type: 'reload' }), undefined);
    channel.emit('message', { evy: { type: 'drain' } }, undefined);
    channel.emit('disconnect');
    expect(heard).to.deep.equal([
      [true, { type: 'move', id: 7, connection }, undefined],
      [true, { type: 'sync', upTo: 7 }, undefined],
      'take-over',
      'reload',
      ['gone', true],
    ]);
  });

  it('may be gone before anybody listens', async () => {
    const channel = new FakeChannel();
    channel.connected = false;
    const predecessor = new Predecessor({ from: 42, sockets: [] }, channel);
    const gone = new Promise((resolve) => {
      predecessor.listen({ onMoving() {}, onTakeOver() {}, onReload() {}, onGone: resolve });
    });
    expect(await gone).to.equal(predecessor);
  });

  it('is told in the words of one to whom something was offered', () => {
    const { channel, predecessor } = make();
    predecessor.send({ type: 'moved', id: 1 });
    predecessor.send({ type: 'move-back', id: 2, because: 'no-worker' });
    predecessor.send({ type: 'synced', upTo: 3, here: [3] });
    predecessor.send({ type: 'resume' });
    expect(channel.sent).to.deep.equal([
      { type: 'adopted', id: 1 },
      { type: 'refused', id: 2 },
      { type: 'synced', upTo: 3, here: [3] },
    ]);
    channel.connected = false;
    predecessor.tell({ type: 'leaving' });
    expect(channel.sent).to.have.length(3);
  });

  it('is found by a variable, which nobody else gets to see', () => {
    const legacy = JSON.stringify({ version: 1, from: 42, sockets: [] });
    const env = { [inheritanceVariable]: legacy };
    expect(findPredecessor(env, 42)?.legacy.from).to.equal(42);
    expect(env).to.deep.equal({});
    expect(findPredecessor({ [inheritanceVariable]: legacy }, 43)).to.equal(undefined);
    expect(findPredecessor({}, 42)).to.equal(undefined);
  });
});

describe('messages between masters', () => {
  it('come out of their envelope on the right side only, and nothing else does', () => {
    expect(fromPredecessor(encloseForMaster({ type: 'leaving' }))).to.equal(undefined);
    expect(fromSuccessor(encloseForMaster({ type: 'reload' }))).to.equal(undefined);
    for (const value of [undefined, null, 7, { type: 'ready' }, { evyMaster: null }, { evyMaster: { type: 'x' } }]) {
      expect(fromPredecessor(value)).to.equal(undefined);
      expect(fromSuccessor(value)).to.equal(undefined);
    }
  });
});
