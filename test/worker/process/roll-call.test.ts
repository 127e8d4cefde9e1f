import { expect } from 'chai';
import type { RequestUnderWay, ServingStats, WorkerToMaster } from '../../../src/shared/protocol/messages.ts';
import { RollCall, withinRoom } from '../../../src/worker/process/roll-call.ts';

const request = (target: string, line?: string): RequestUnderWay => ({
  method: 'GET',
  target,
  peer: '::1',
  ageMs: 300,
  ...(line === undefined ? {} : { line }),
});

function rollCall(underWay: () => RequestUnderWay[]) {
  let begun = 1;
  const told: string[][] = [];
  let done: () => void = () => {};
  const serving = {
    get stats() {
      return { requests: begun, activeRequests: underWay().length } as ServingStats;
    },
    survey: () => underWay().filter(({ ageMs }) => ageMs > 250),
  };
  const roll = new RollCall(serving, (message: WorkerToMaster, _handle, sent) => {
    told.push((message as { requests: RequestUnderWay[] }).requests.map(({ target }) => target));
    done = () => sent(null);
  });
  return { roll, told, done: () => done(), begin: () => (begun += 1) };
}

describe('the roll-call', () => {
  it('says nothing while there is nothing to say, and once that there is nothing left', () => {
    let underWay: RequestUnderWay[] = [];
    const { roll, told, done } = rollCall(() => underWay);
    roll.look();
    underWay = [{ ...request('/young'), ageMs: 20 }];
    roll.look();
    expect(told).to.deep.equal([]);
    underWay = [request('/old')];
    for (let look = 0; look < 2; look += 1) {
      roll.look();
      done();
    }
    underWay = [];
    for (let look = 0; look < 3; look += 1) {
      roll.look();
      done();
    }
    expect(told).to.deep.equal([['/old'], ['/old'], []]);
  });

  it('does not fill up the channel to a master that does not read', () => {
    const { roll, told, done, begin } = rollCall(() => [request('/a')]);
    for (let look = 0; look < 10; look += 1) roll.look();
    expect(told).to.have.length(1);
    done();
    begin();
    roll.look();
    expect(told).to.have.length(2);
  });

  it('is held less often while nobody comes and nobody goes', () => {
    const { roll, told, done, begin } = rollCall(() => [request('/a')]);
    const looks = (count: number) => {
      const before = told.length;
      for (let look = 0; look < count; look += 1) {
        roll.look();
        done();
      }
      return told.length - before;
    };
    expect(looks(3)).to.equal(3);
    expect(looks(40)).to.equal(10);
    begin();
    expect(looks(3)).to.equal(3);
  });

  it('has room for a hundred requests, and for so much of lines', () => {
    const many = Array.from({ length: 150 }, (_, index) => request(`/${index}`));
    expect(withinRoom(many)).to.deep.equal(many.slice(0, 100));
    const lines = [request('/a', 'x'.repeat(6)), request('/b', 'x'.repeat(6)), request('/c', 'x'.repeat(4))];
    expect(withinRoom(lines, 10)).to.deep.equal([lines[0], request('/b'), lines[2]]);
  });
});
