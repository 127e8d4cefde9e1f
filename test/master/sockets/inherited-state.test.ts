import { resolve } from 'node:path';
import { expect } from 'chai';
import { parseBind } from '../../../src/master/sockets/bind-address.ts';
import {
  bindKey,
  InheritedSockets,
  formatInheritedState,
  parseInheritedState,
} from '../../../src/master/sockets/inherited-state.ts';

const sockets = [
  { key: '127.0.0.1:0', name: '127.0.0.1:8080' },
  { key: 'unix:/run/app.sock', name: 'unix:/run/app.sock' },
];
const refusal = { code: 'UPGRADE_FAILED' };

describe('what a master inherits from the previous one', () => {
  it('is parsed as it was formatted, with descriptors from 4 on', () => {
    const looked: number[] = [];
    const inherited = parseInheritedState(formatInheritedState(sockets, 42), 42, (fd) => looked.push(fd) > 0);
    expect(inherited).to.deep.equal({
      from: 42,
      sockets: [
        { ...sockets[0], fd: 4 },
        { ...sockets[1], fd: 5 },
      ],
    });
    expect(looked).to.deep.equal([4, 5]);
  });

  it('says how many workers there are to be, if it is a number of workers', () => {
    const crew = { configured: { least: 2, most: 8 }, wanted: 5 };
    const parsed = (text: string) => parseInheritedState(text, 42, () => true)?.crew;
    expect(parsed(formatInheritedState(sockets, 42, crew))).to.deep.equal(crew);
    expect(parsed(formatInheritedState(sockets, 42))).to.equal(undefined);
    for (const wanted of [0, 1.5, 100_000]) {
      expect(parsed(formatInheritedState(sockets, 42, { ...crew, wanted }))).to.equal(undefined);
    }
    expect(parsed(formatInheritedState(sockets, 42).replace('"version"', '"crew":{"wanted":3},"version"'))).to.equal(
      undefined,
    );
  });

  it('is not ours without the variable, or when it is from another process than our parent', () => {
    expect(parseInheritedState(undefined, 42)).to.equal(undefined);
    expect(parseInheritedState(formatInheritedState(sockets, 41), 42)).to.equal(undefined);
  });

  it('is refused when it is damaged, of another version, or not sockets', () => {
    const text = formatInheritedState(sockets, 42);
    expect(() => parseInheritedState('{', 42))
      .to.throw('the value must be JSON')
      .and.to.include(refusal);
    expect(() => parseInheritedState(text.replace('"version":1', '"version":2'), 42))
      .to.throw('restart')
      .and.to.include(refusal);
    expect(() => parseInheritedState('{"version":1,"from":42,"sockets":[{"key":1}]}', 42)).to.throw(
      'the value names no sockets',
    );
    expect(() => parseInheritedState(text, 42, (fd) => fd === 4)).to.throw(
      'descriptor 5 (unix:/run/app.sock) is not a socket',
    );
    // What this very process has there is for mocha to know, but no socket has this number.
    const many = Array.from({ length: 500 }, () => sockets[0]!);
    expect(() => parseInheritedState(formatInheritedState(many, 42), 42)).to.throw('is not a socket');
  });

  it('names an address the same with and without TLS, and a path however it is written', () => {
    expect(bindKey(parseBind('tls:[::1]:80'))).to.equal('[::1]:80');
    expect(bindKey(parseBind('unix:app.sock'))).to.equal(`unix:${resolve('app.sock')}`);
    expect(bindKey(parseBind('tls:fd:3'))).to.equal('fd:3');
  });

  it('is claimed once, by the same words or by where a socket listens, and the rest is left', () => {
    const unclaimed = new InheritedSockets(parseInheritedState(formatInheritedState(sockets, 42), 42, () => true));
    expect(unclaimed.claim('127.0.0.1:9')).to.equal(undefined);
    expect(unclaimed.claim('127.0.0.1:8080')).to.deep.equal({ fd: 4, key: '127.0.0.1:0' });
    expect(unclaimed.claim('127.0.0.1:0')).to.equal(undefined);
    expect(unclaimed.claimRest()).to.deep.equal([5]);
    expect(unclaimed.claimRest()).to.deep.equal([]);
    expect(new InheritedSockets(undefined).claim('127.0.0.1:0')).to.equal(undefined);
  });
});
