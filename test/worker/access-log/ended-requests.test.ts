import { expect } from 'chai';
import { EndedRequests } from '../../../src/worker/access-log/ended-requests.ts';
import { collectGarbage } from '../../helpers/garbage.ts';
import { requestOf } from './helpers.ts';

function collected() {
  const seen: string[] = [];
  const ended = new EndedRequests(({ request, status, bodyBytes, seconds }) => {
    seen.push(`${request.target} ${status} ${bodyBytes} ${seconds}`);
  });
  const add = (target: string, status = 200) => ended.add(requestOf({}, { target }), status, 13, 0.5);
  return { ended, seen, add };
}

describe('requests whose lines are still to be made', () => {
  it('are taken together, in order, when the turn ends', async () => {
    const { seen, add } = collected();
    add('/one');
    add('/two', 404);
    expect(seen).to.deep.equal([]);
    await new Promise(setImmediate);
    expect(seen).to.deep.equal(['/one 200 13 0.5', '/two 404 13 0.5']);
    add('/three');
    await new Promise(setImmediate);
    expect(seen).to.have.length(3);
  });

  it('are taken at once when that is asked for, and not again', async () => {
    const { ended, seen, add } = collected();
    add('/one');
    ended.settle();
    expect(seen).to.deep.equal(['/one 200 13 0.5']);
    await new Promise(setImmediate);
    ended.settle();
    expect(seen).to.have.length(1);
  });

  it('do not grow with a turn that does not end', async () => {
    const { seen, add } = collected();
    for (let count = 0; count < 1000; count += 1) add(`/${count}`);
    expect(seen.length).to.be.within(500, 999);
    await new Promise(setImmediate);
    expect(seen).to.deep.equal(Array.from({ length: 1000 }, (_, count) => `/${count} 200 13 0.5`));
  });

  it('have the time of their end, not of their turn', () => {
    const times: number[] = [];
    const ended = new EndedRequests(({ nowMs }) => void times.push(nowMs));
    const startMs = Date.now();
    ended.add(requestOf(), 200, 0, 0);
    while (Date.now() < startMs + 3) void 0;
    ended.add(requestOf(), 200, 0, 0);
    ended.settle();
    expect(times[1]! - times[0]!).to.be.at.least(2);
  });

  it('are let go of', async () => {
    const { ended } = collected();
    const add = (): WeakRef<object> => {
      const request = requestOf();
      ended.add(request, 200, 0, 0);
      return new WeakRef(request);
    };
    const request = add();
    ended.settle();
    await collectGarbage();
    expect(request.deref()).to.equal(undefined);
    ended.settle();
  });
});
