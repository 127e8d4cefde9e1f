import { expect } from 'chai';
import { Gathered } from '../../../src/worker/access-log/batches.ts';

const line = `${'x'.repeat(99)}\n`;

function fill(gathered: Gathered, lines: number): void {
  for (let count = 0; count < lines; count += 1) gathered.add(line);
}

describe('gathered access lines', () => {
  it('are all there when they are taken, in their order, and gone then', () => {
    const gathered = new Gathered();
    expect(gathered.isEmpty).to.equal(true);
    gathered.add('one\n');
    gathered.add('two\n');
    expect(gathered.isEmpty).to.equal(false);
    expect(gathered.cutBatch().toString()).to.equal('one\ntwo\n');
    expect(gathered.isEmpty).to.equal(true);
    expect(gathered.cutBatch()).to.have.length(0);
  });

  it('are as they were, however many come after they were taken', () => {
    const gathered = new Gathered();
    const taken: Buffer[] = [];
    for (let batch = 0; batch < 20; batch += 1) {
      gathered.add(`${batch}\n`);
      fill(gathered, 700);
      taken.push(gathered.cutBatch());
    }
    expect(taken.map((bytes) => bytes.toString())).to.deep.equal(
      Array.from({ length: 20 }, (_, batch) => `${batch}\n${line.repeat(700)}`),
    );
  });

  it('may be more than a slab holds, and one of them as well', () => {
    const gathered = new Gathered();
    fill(gathered, 9000);
    const long = 'y'.repeat(300_000);
    gathered.add(long);
    expect(gathered.length).to.equal(9000 * line.length + long.length);
    expect(gathered.cutBatch().toString()).to.equal(line.repeat(9000) + long);
  });

  it('are bytes, one for each character', () => {
    const gathered = new Gathered();
    gathered.add('\xc3\xbc\n');
    expect(gathered.cutBatch().toString()).to.equal('ü\n');
  });
});
