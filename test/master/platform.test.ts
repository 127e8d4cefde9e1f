import { expect } from 'chai';
import { checkPlatform, fallbacksOf, neededParts } from '../../src/master/platform.ts';
import { privateParts } from '../../src/shared/node-private/node-private.ts';

describe('the platform', () => {
  it('is Linux, macOS for development, and nothing else', () => {
    expect(checkPlatform('linux')).to.deep.equal({});
    expect(checkPlatform('darwin').note).to.contain('development');
    expect(() => checkPlatform('win32'))
      .to.throw('win32')
      .and.to.include({ code: 'UNSUPPORTED_PLATFORM' });
  });

  it('has a fallback for each part of private API: what it costs, and why, a line for each reason', () => {
    expect(fallbacksOf({})).to.deep.equal([]);
    for (const part of privateParts) expect(fallbacksOf({ [part]: 'because' })).to.have.length(1);
    const lines = fallbacksOf({ moving: 'of this', reset: 'of that', rawConnections: 'of this' });
    expect(lines.map(({ reason }) => reason)).to.deep.equal(['of this', 'of that']);
    expect(lines[0]!.message).to.contain('cannot move').and.to.contain('a socket of Node');
  });

  it('has a need of those parts that its addresses use', () => {
    expect(neededParts([{ kind: 'tcp' }]))
      .to.include('tcpSockets')
      .and.not.to.include('unixSockets');
    expect(neededParts([{ kind: 'unix' }]))
      .to.include('unixSockets')
      .and.not.to.include('tcpSockets');
    expect(neededParts([{ kind: 'fd' }])).to.have.members(privateParts);
  });
});
