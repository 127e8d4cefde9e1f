import { expect } from 'chai';
import { EndedRequests } from '../../../src/worker/access-log/ended-requests.ts';
import { collectGarbage } from '../../helpers/garbage.ts';
import { reportOf, requestOf } from './helpers.ts';

function collected(onTaken: (target: string) => void = () => {}) {
  const seen: string[] = [];
  const failures: unknown[] = [];
  const ended = new EndedRequests(
    ({ request, status, bodyBytes, durationMs }) => {
      onTaken(request.target);
      seen.push(`${request.target} ${status} ${bodyBytes} ${durationMs}`);
    },
    (thrown) => failures.push(thrown),
  );
  const add = (target: string, status = 200) =>
    ended.add(requestOf({}, { target }), reportOf(status, { durationMs: 5 }), 13);
  return { ended, seen, failures, add };
}

describe('requests whose lines are still to be made', () => {
  it('are taken together, in order, when the turn ends', async () => {
    const { seen, add } = collected();
    add('/one');
    add('/two', 404);
    expect(seen).to.deep.equal([]);
    await new Promise(setImmediate);
    expect(seen).to.deep.equal(['/one 200 13 5', '/two 404 13 5']);
    add('/three');
    await new Promise(setImmediate);
    expect(seen).to.have.length(3);
  });

  it('are taken at once when that is asked for, and not again', async () => {
    const { ended, seen, add } = collected();
    add('/one');
    ended.settle();
    expect(seen).to.deep.equal(['/one 200 13 5']);
    await new Promise(setImmediate);
    ended.settle();
    expect(seen).to.have.length(1);
  });

  it('do not grow with a turn that does not end', async () => {
    const { seen, add } = collected();
    for (let count = 0; count < 1000; count += 1) add(`/${count}`);
    expect(seen.length).to.be.within(500, 999);
    await new Promise(setImmediate);
    expect(seen).to.deep.equal(Array.from({ length: 1000 }, (_, count) => `/${count} 200 13 5`));
  });

  it('have the time of their end, not of their turn', () => {
    const times: number[] = [];
    const ended = new EndedRequests(
      ({ nowMs }) => void times.push(nowMs),
      () => {},
    );
    ended.add(requestOf(), reportOf(), 0);
    const firstBeforeMs = Date.now();
    while (Date.now() === firstBeforeMs) void 0;
    ended.add(requestOf(), reportOf(), 0);
    ended.settle();
    expect(times[0]).to.be.at.most(firstBeforeMs);
    expect(times[1]).to.be.above(firstBeforeMs);
  });

  it('are all taken when one of them makes that throw', () => {
    const { ended, seen, failures, add } = collected((target) => {
      if (target === '/2') throw new Error('on purpose');
    });
    for (const target of ['/1', '/2', '/3']) add(target);
    ended.settle();
    expect(seen).to.deep.equal(['/1 200 13 5', '/3 200 13 5']);
    expect(failures).to.have.length(1);
    add('/4');
    ended.settle();
    expect(seen).to.have.length(3);
  });

  it('are taken once each when the process ends while one is', () => {
    const { ended, seen, add } = collected((target) => {
      if (target === '/2') ended.settle();
    });
    for (const target of ['/1', '/2', '/3']) add(target);
    ended.settle();
    expect(seen.toSorted()).to.deep.equal(['/1 200 13 5', '/2 200 13 5', '/3 200 13 5']);
  });

  it('are let go of', async () => {
    const { ended } = collected();
    const add = (): WeakRef<object> => {
      const request = requestOf();
      ended.add(request, reportOf(), 0);
      return new WeakRef(request);
    };
    const request = add();
    ended.settle();
    await collectGarbage();
    expect(request.deref()).to.equal(undefined);
    ended.settle();
  });
});
