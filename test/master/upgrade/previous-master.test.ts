import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import { inheritedStateVariable } from '../../../src/master/sockets/inherited-state.ts';
import { encloseForMaster, fromPreviousMaster, fromNextMaster } from '../../../src/master/upgrade/upgrade-messages.ts';
import { findPreviousMaster, PreviousMaster } from '../../../src/master/upgrade/previous-master.ts';
import type { MovingConnection } from '../../../src/shared/protocol/messages.ts';

const connection: MovingConnection = {
  peer: { serverName: '', serverPort: '', remoteAddress: '', remotePort: '', scheme: 'http' },
};

class FakeChannel extends EventEmitter {
  connected = true;
  readonly sent: unknown[] = [];
  send(message: object): void {
    this.sent.push(fromNextMaster(message));
  }
}

function make() {
  const channel = new FakeChannel();
  const previousMaster = new PreviousMaster({ from: 42, sockets: [] }, channel);
  const heard: unknown[] = [];
  previousMaster.listen({
    onMoving: (party, message, handle) => heard.push([party === previousMaster, message, handle]),
    onTakeOver: () => heard.push('take-over'),
    onReload: () => heard.push('reload'),
    onGone: (party) => heard.push(['gone', party === previousMaster]),
  });
  return { channel, previousMaster, heard };
}

describe('the previous master', () => {
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
    const previousMaster = new PreviousMaster({ from: 42, sockets: [] }, channel);
    const gone = new Promise((resolve) => {
      previousMaster.listen({ onMoving() {}, onTakeOver() {}, onReload() {}, onGone: resolve });
    });
    expect(await gone).to.equal(previousMaster);
  });

  it('is told in the words of one to whom something was offered', () => {
    const { channel, previousMaster } = make();
    previousMaster.send({ type: 'moved', id: 1 });
    previousMaster.send({ type: 'move-back', id: 2, because: 'no-worker' });
    previousMaster.send({ type: 'synced', upTo: 3, here: [3] });
    previousMaster.send({ type: 'resume' });
    expect(channel.sent).to.deep.equal([
      { type: 'adopted', id: 1 },
      { type: 'refused', id: 2 },
      { type: 'synced', upTo: 3, here: [3] },
    ]);
    channel.connected = false;
    previousMaster.tell({ type: 'leaving' });
    expect(channel.sent).to.have.length(3);
  });

  it('is found by a variable, which nobody else gets to see', () => {
    const inherited = JSON.stringify({ version: 1, from: 42, sockets: [] });
    const env = { [inheritedStateVariable]: inherited };
    expect(findPreviousMaster(env, 42)?.inherited.from).to.equal(42);
    expect(env).to.deep.equal({});
    expect(findPreviousMaster({ [inheritedStateVariable]: inherited }, 43)).to.equal(undefined);
    expect(findPreviousMaster({}, 42)).to.equal(undefined);
  });
});

describe('messages between masters', () => {
  it('come out of their envelope on the right side only, and nothing else does', () => {
    expect(fromPreviousMaster(encloseForMaster({ type: 'leaving' }))).to.equal(undefined);
    expect(fromNextMaster(encloseForMaster({ type: 'reload' }))).to.equal(undefined);
    for (const value of [undefined, null, 7, { type: 'ready' }, { evyMaster: null }, { evyMaster: { type: 'x' } }]) {
      expect(fromPreviousMaster(value)).to.equal(undefined);
      expect(fromNextMaster(value)).to.equal(undefined);
    }
  });
});
