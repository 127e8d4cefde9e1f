import { expect } from 'chai';
import { refusal } from '../../src/cli/platform.ts';

describe('platform', () => {
  it('is Linux or macOS with a Node of 20.19 or later', () => {
    for (const version of ['20.19.0', '20.20.2', '22.0.0', '26.10.0'])
      expect(refusal('linux', version), version).to.equal(undefined);
    expect(refusal('darwin', '24.1.0')).to.equal(undefined);
  });

  it('is refused in a sentence otherwise', () => {
    expect(refusal('win32', '24.0.0')).to.match(/does not run on Windows/);
    for (const version of ['16.3.0', '18.20.4', '20.18.3']) {
      expect(refusal('linux', version)).to.equal(`evy needs Node 20.19 or later, and this is Node ${version}`);
    }
  });
});
