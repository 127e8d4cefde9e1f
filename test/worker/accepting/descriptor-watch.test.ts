import { closeSync, openSync } from 'node:fs';
import { expect } from 'chai';
import {
  openFilesLimit,
  DescriptorWatch,
  openDescriptors,
  roomFor,
} from '../../../src/worker/accepting/descriptor-watch.ts';
import { recordingLogger } from '../../master/helpers/fake-crew.ts';
import { onEnd } from '../../helpers/cleanup.ts';

describe('the room for connections', () => {
  it('is what is free but for sixteen descriptors, or a twentieth where there are few', () => {
    expect(roomFor(1024, 24)).to.equal(984);
    expect(roomFor(300, 300)).to.equal(-15);
    expect(roomFor(40, 30)).to.equal(8);
    expect(roomFor(1024, Infinity)).to.equal(-16);
  });
});

describe('descriptors in use', () => {
  it('are counted, or none is left', function () {
    if (openFilesLimit() === undefined) this.skip();
    const fds = Array.from({ length: 50 }, () => openSync('/dev/null', 'r'));
    const with50 = openDescriptors();
    for (const fd of fds) closeSync(fd);
    expect(with50).to.be.at.least(50);
    expect(openDescriptors()).to.be.at.most(with50);
  });
});

describe('a watch of the descriptors', () => {
  it('tells the gate, and once a minute the log', () => {
    let inUse = 50;
    let nowMs = 1000;
    const rooms: number[] = [];
    const log = recordingLogger();
    let room = () => 0;
    const gate = { ask: (given: () => number) => (room = given), look: () => void rooms.push(room()) };
    const watch = new DescriptorWatch({ gate, log, openFiles: 100, inUse: () => inUse, nowMs: () => nowMs });
    onEnd(() => watch.stop());
    for (inUse of [50, 99, 100, 50, Infinity]) gate.look();
    expect(rooms).to.deep.equal([45, -4, -5, 45, -5]);
    const events = () => log.lines.map(({ event, fields }) => [event, fields['free']]);
    expect(events()).to.deep.equal([
      ['connections.limited', 1],
      ['connections.resumed', 50],
    ]);
    nowMs += 60_000;
    gate.look();
    expect(events()[2]).to.deep.equal(['connections.limited', 0]);
  });
});
