import { expect } from 'chai';
import { WorkerRecord } from '../../../src/master/workers/worker-record.ts';
import type { RequestSummary, WorkerStats } from '../../../src/shared/protocol/messages.ts';
import { noAnswers } from '../../../src/worker/loop/context.ts';

const request: RequestSummary = { method: 'GET', target: '/slow', peer: '192.0.2.1', ageMs: 7 };
const stats: WorkerStats = {
  connections: 9,
  activeRequests: 2,
  requests: 40,
  pendingHooks: 0,
  ...noAnswers(),
  rssBytes: 1,
  lagMs: 0,
  healthChecks: 0,
  utilisation: 0,
  asleep: false,
  turnedAway: 0,
  received: 0,
  failedHandshakes: 0,
};

describe('what became of the connections of a worker', () => {
  it('is what moved, as was counted on the way, and for the rest what the worker told at its end', () => {
    const record = new WorkerRecord();
    record.noteStats(stats);
    record.noteMoved(4);
    record.noteMoved(2);
    record.noteDrained({ type: 'drained', connections: 9, closed: 1 });
    expect(record.departures).to.deep.equal({ moved: 6, drained: 2, closed: 1, cut: 0 });
  });

  it('names the requests that the grace time cut', () => {
    const record = new WorkerRecord();
    record.noteMoved(4);
    record.noteOverdue({ type: 'overdue', requests: [request], connections: 9, closed: 2 });
    expect(record.departures).to.deep.equal({ moved: 4, drained: 2, closed: 2, cut: 1 });
  });

  it('is what is known without it when it died', () => {
    const record = new WorkerRecord();
    record.noteStats(stats);
    record.noteMoved(4);
    expect(record.departures).to.deep.equal({ moved: 4, drained: 0, closed: 3, cut: 2 });
  });

  it('counts nobody twice who came when the worker was leaving already', () => {
    const record = new WorkerRecord();
    record.noteMoved(3);
    record.noteDrained({ type: 'drained', connections: 2, closed: 1 });
    expect(record.departures).to.deep.equal({ moved: 3, drained: 0, closed: 0, cut: 0 });
  });

  it('is, without last words, what it had when it was told to leave, less what moved', () => {
    const record = new WorkerRecord();
    record.noteStats({ ...stats, activeRequests: 0 });
    record.noteRetired();
    record.noteStats({ ...stats, connections: 2, activeRequests: 0 });
    record.noteMoved(7);
    expect(record.departures).to.deep.equal({ moved: 7, drained: 0, closed: 2, cut: 0 });
  });
});

describe('the connections of a worker', () => {
  it('are those that it reported, and those that were on their way to it then', () => {
    const record = new WorkerRecord();
    record.noteConnection();
    expect(record.connections).to.equal(1);
    record.noteConnection();
    // The first one is among the nine by now.
    record.noteStats({ ...stats, received: 1 });
    expect(record.connections).to.equal(10);
    record.noteConnection();
    expect(record.connections).to.equal(11);
    record.noteStats({ ...stats, received: 1 });
    expect(record.connections).to.equal(11);
    record.noteStats({ ...stats, received: 3 });
    expect(record.connections).to.equal(9);
  });

  it('are not those that it must have lost on the way, but for a while', () => {
    let nowMs = 1_000;
    const record = new WorkerRecord(() => nowMs);
    record.noteConnection();
    nowMs += 4_000;
    record.noteStats(stats);
    expect(record.connections).to.equal(10);
    record.noteConnection();
    nowMs += 1_000;
    record.noteStats(stats);
    expect(record.connections).to.equal(10);
    // That was the one after it, which is known for sure only later.
    record.noteStats({ ...stats, received: 1 });
    expect(record.connections).to.equal(10);
    record.noteStats({ ...stats, received: 2 });
    expect(record.connections).to.equal(9);
  });
});

describe('the requests of a worker that only the master can account for', () => {
  const record = () => {
    const made = new WorkerRecord();
    made.noteStats(stats);
    made.noteUnderWay([request]);
    return made;
  };

  it('are those that it told of last', () => {
    const died = record();
    died.noteExit({ code: null, signal: 'SIGKILL' });
    expect(died.unaccounted).to.deep.equal([request]);
    expect(died.departures.cut).to.equal(2);
  });

  it('are none once it has closed its channel, and none was cut when it then ends by itself', () => {
    const left = record();
    left.noteLost();
    expect(left.unaccounted).to.deep.equal([]);
    expect(left.departures.cut).to.equal(2);
    left.noteExit({ code: 0, signal: null });
    expect(left.unaccounted).to.deep.equal([]);
    expect(left.departures.cut).to.equal(0);
  });
});
