import { expect } from 'chai';
import { resolveInput } from '../../src/shared/option-input.ts';
import { fakeCrew } from './fake-crew.ts';

describe('a master with a range of workers', () => {
  it('starts with the least, and has more when they are busy', async () => {
    const crew = await fakeCrew({ stats: { utilisation: 0.9 } }, { workers: '1..2' });
    await crew.master.start();
    await crew.settled(2, 1);
    expect(crew.lines('scale')).to.deep.equal([{ from: 1, workers: 2, utilisation: 0.9 }]);
    expect(crew.events.find(([name]) => name === 'scale')).to.deep.equal([
      'scale',
      { from: 1, to: 2, utilisation: 0.9 },
    ]);
  });

  it('keeps a number outside of it that was set by hand', async () => {
    const crew = await fakeCrew({}, { workers: '2..3' });
    await crew.master.start();
    crew.behave({ stats: { utilisation: 1 } });
    await crew.master.scale(1);
    await crew.master.scale(4);
    await crew.settled(4, 1);
    expect(crew.lines('scale').every(({ utilisation }) => utilisation === undefined)).to.equal(true);
  });

  it('keeps its number over a reload, within the range that the new configuration has', async () => {
    let workers = '1..4';
    const crew = await fakeCrew({}, { workers }, { resolve: () => resolveInput({ app: crew.app, workers, port: 0 }) });
    await crew.master.start();
    await crew.master.scale(3);
    await crew.master.reload();
    await crew.settled(3, 2);
    workers = '1..2';
    await crew.master.reload();
    await crew.settled(2, 3);
  });
});
