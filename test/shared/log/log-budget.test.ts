import { expect } from 'chai';
import { LineBudget, linesPerSecond, withBudget } from '../../../src/shared/log/log-budget.ts';
import { silentLogger, type LogEvent, type LogFields } from '../../../src/shared/log/log.ts';
import { waitFor } from '../../helpers/wait-for.ts';

const refused = (code: string) => ({ level: 'info', event: 'request.refused', code }) as const;

function lines() {
  const seen: Array<LogFields & { event: LogEvent }> = [];
  const remember = (event: LogEvent, fields?: LogFields) => void seen.push({ event, ...fields });
  return { seen, log: withBudget({ ...silentLogger, info: remember, error: remember }) };
}

describe('the budget of lines that clients cause', () => {
  it('lets the first ones of a kind pass in a second, and tells how many it did not', () => {
    const budget = new LineBudget(2);
    const taken = ['BAD_HOST', 'BAD_HOST', 'BAD_HOST', 'BAD_BYTE', 'BAD_HOST'].map((code) =>
      budget.trySpend(refused(code)),
    );
    expect(taken).to.deep.equal([true, true, false, true, false]);
    expect(budget.endSecond()).to.deep.equal([{ ...refused('BAD_HOST'), suppressed: 2 }]);
    expect(budget.trySpend(refused('BAD_HOST'))).to.equal(true);
    expect(budget.endSecond()).to.deep.equal([]);
  });

  it('tells in the log, once the second is over', async () => {
    const { log, seen } = lines();
    for (let count = 0; count < 480; count += 1) log.info('request.refused', { code: 'BAD_REQUEST_LINE', count });
    await waitFor('the end of the second', () => seen.some((line) => 'suppressed' in line));
    expect(seen).to.have.length(linesPerSecond + 1);
    expect(seen[0]).to.deep.equal({ event: 'request.refused', code: 'BAD_REQUEST_LINE', count: 0 });
    expect(seen.at(-1)).to.deep.equal({
      event: 'request.refused',
      code: 'BAD_REQUEST_LINE',
      suppressed: 480 - linesPerSecond,
    });
  });

  it('is none for lines that no client can cause', () => {
    const { log, seen } = lines();
    for (let count = 0; count < 100; count += 1) log.error('app.errors', { text: 'x' });
    expect(seen).to.have.length(100);
  });
});
