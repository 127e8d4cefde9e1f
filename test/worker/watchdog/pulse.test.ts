import { expect } from 'chai';
import { PulseReader, startPulse } from '../../../src/worker/watchdog/pulse.ts';
import { fakeTime } from '../helpers/fake-time.ts';

describe('a pulse', () => {
  it('is felt once for the beats since it was felt last', () => {
    const time = fakeTime();
    const pulse = startPulse(1_000, () => false);
    const reader = new PulseReader(pulse.memory);
    expect([reader.hasBeaten, reader.hasBeaten]).to.deep.equal([true, false]);
    time.tick();
    time.tick();
    expect([reader.hasBeaten, reader.hasBeaten]).to.deep.equal([true, false]);
    expect(reader.count).to.equal(pulse.count).and.to.equal(3);
    pulse.stop();
    expect(time.intervals).to.equal(0);
  });

  it('tells of a debugger', () => {
    const time = fakeTime();
    let isDebugged = false;
    const pulse = startPulse(1_000, () => isDebugged);
    const reader = new PulseReader(pulse.memory);
    expect(reader.isDebugged).to.equal(false);
    isDebugged = true;
    time.tick();
    expect(reader.isDebugged).to.equal(true);
    pulse.stop();
  });
});
