import { resolve } from 'node:path';
import { expect } from 'chai';
import { parseBind } from '../../../src/master/sockets/bind-address.ts';
import { bindKey, Estate, formatLegacy, parseLegacy } from '../../../src/master/sockets/inherited-sockets.ts';

const sockets = [
  { key: '127.0.0.1:0', name: '127.0.0.1:8080' },
  { key: 'unix:/run/app.sock', name: 'unix:/run/app.sock' },
];
const refusal = { code: 'UPGRADE_FAILED' };

describe('what a master leaves to the next one', () => {
  it('comes back as it was, with descriptors from 4 on', () => {
    const looked: number[] = [];
    const legacy = parseLegacy(formatLegacy(sockets, 42), 42, (fd) => looked.push(fd) > 0);
    expect(legacy).to.deep.equal({
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
    const parsed = (text: string) => parseLegacy(text, 42, () => true)?.crew;
    expect(parsed(formatLegacy(sockets, 42, crew))).to.deep.equal(crew);
    expect(parsed(formatLegacy(sockets, 42))).to.equal(undefined);
    for (const wanted of [0, 1.5, 100_000]) {
      expect(parsed(formatLegacy(sockets, 42, { ...crew, wanted }))).to.equal(undefined);
    }
    expect(parsed(formatLegacy(sockets, 42).replace('"version"', '"crew":{"wanted":3},"version"'))).to.equal(undefined);
  });

  it('is not ours without the variable, or when it is from another process than our parent', () => {
    expect(parseLegacy(undefined, 42)).to.equal(undefined);
    expect(parseLegacy(formatLegacy(sockets, 41), 42)).to.equal(undefined);
  });

  it('is refused when it is damaged, of another version, or not sockets', () => {
    const text = formatLegacy(sockets, 42);
    expect(() => parseLegacy('{', 42))
      .to.throw('is not JSON')
      .and.to.include(refusal);
    expect(() => parseLegacy(text.replace('"version":1', '"version":2'), 42))
      .to.throw('restart')
      .and.to.include(refusal);
    expect(() => parseLegacy('{"version":1,"from":42,"sockets":[{"key":1}]}', 42)).to.throw('names no sockets');
    expect(() => parseLegacy(text, 42, (fd) => fd === 4)).to.throw('descriptor 5 (unix:/run/app.sock) is not a socket');
    // What this very process has there is for mocha to know, but no socket has this number.
    const many = Array.from({ length: 500 }, () => sockets[0]!);
    expect(() => parseLegacy(formatLegacy(many, 42), 42)).to.throw('is not a socket');
  });

  it('names an address the same with and without TLS, and a path however it is written', () => {
    expect(bindKey(parseBind('tls:[::1]:80'))).to.equal('[::1]:80');
    expect(bindKey(parseBind('unix:app.sock'))).to.equal(`unix:${resolve('app.sock')}`);
    expect(bindKey(parseBind('tls:fd:3'))).to.equal('fd:3');
  });

  it('is taken once, by the words of before or by where a socket listens; the rest is left', () => {
    const estate = new Estate(parseLegacy(formatLegacy(sockets, 42), 42, () => true));
    expect(estate.take('127.0.0.1:9')).to.equal(undefined);
    expect(estate.take('127.0.0.1:8080')).to.deep.equal({ fd: 4, key: '127.0.0.1:0' });
    expect(estate.take('127.0.0.1:0')).to.equal(undefined);
    expect(estate.takeRest()).to.deep.equal([5]);
    expect(estate.takeRest()).to.deep.equal([]);
    expect(new Estate(undefined).take('127.0.0.1:0')).to.equal(undefined);
  });
});
