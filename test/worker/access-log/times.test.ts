import { expect } from 'chai';
import { apacheDate, apacheTime, eventletDate, eventletTime, isoTime } from '../../../src/worker/access-log/times.ts';

describe('times of the access log', () => {
  it('are local with two digits each', () => {
    expect(eventletDate(new Date(2026, 0, 2, 3, 4, 5))).to.equal('02/Jan/2026 03:04:05');
    expect(eventletDate(new Date(2026, 11, 31, 23, 59, 59))).to.equal('31/Dec/2026 23:59:59');
    expect(apacheDate(new Date(2026, 0, 2, 3, 4, 5))).to.match(/^02\/Jan\/2026:03:04:05 [+-]\d{4}$/);
  });

  it('have the zone in hours and minutes', () => {
    const inZone = (offset: number) =>
      apacheDate(Object.assign(new Date(2026, 0, 2, 3, 4, 5), { getTimezoneOffset: () => offset }));
    expect(inZone(0)).to.match(/ \+0000$/);
    expect(inZone(-330)).to.match(/ \+0530$/);
    expect(inZone(210)).to.match(/ -0330$/);
  });

  it('turn with the second, forwards and back', () => {
    const at = Date.UTC(2026, 10, 22, 20, 30, 5, 0);
    expect([0, 7, 45, 999, 1000, 3].map((ms) => isoTime(at + ms).slice(17))).to.deep.equal([
      '05.000Z',
      '05.007Z',
      '05.045Z',
      '05.999Z',
      '06.000Z',
      '05.003Z',
    ]);
    expect(eventletTime(at)).to.equal(eventletDate(new Date(at)));
    expect(apacheTime(at + 1000)).to.equal(apacheDate(new Date(at + 1000)));
  });
});
