import { expect } from 'chai';
import { reloadedOptions } from '../../../src/master/generations/generation.ts';
import { resolveInput } from '../../../src/shared/options/input.ts';

describe('options at a reload', () => {
  it('change where a reload can change them, and are named where it cannot', () => {
    const running = resolveInput({ app: 'a', port: 1, grace: '1s', keepalive: '1s' }, '/');
    const fresh = resolveInput({ app: 'b', port: 2, grace: '2s', keepalive: '2s', backlog: 9 }, '/');
    const { options, ignored } = reloadedOptions(running, fresh);
    expect(options).to.include({ app: '/b', port: 1, graceMs: 2000, keepaliveMs: 2000, backlog: 2048 });
    expect(ignored).to.deep.equal(['port', 'backlog']);
    expect(reloadedOptions(running, running)).to.deep.equal({ options: running, ignored: [] });
  });
});
