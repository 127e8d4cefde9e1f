/**
 * The corpus of test/fixtures/http: requests as they are on the wire, with what becomes of them beside each. Every file
 * is fed whole, byte by byte, and at every split into two; alone, behind a request, and followed by others and by
 * garbage: one result. Whole heads take the parser's short way, cut ones its long way, repeated fields a third one.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import { fixture } from '../../helpers/files.ts';
import { bytesOf, cuts, parse, type Parsed } from '../helpers/parse.ts';

interface Case {
  name: string;
  why: string;
  bytes: Buffer;
  expected: Parsed;
}

function casesOf(kind: 'valid' | 'invalid'): Case[] {
  const names = readdirSync(fixture('http', kind)).filter((name) => name.endsWith('.http'));
  return names.map((file) => {
    const name = file.slice(0, -'.http'.length);
    const { why, ...expected } = JSON.parse(readFileSync(fixture('http', kind, `${name}.json`), 'utf8')) as Parsed & {
      why: string;
    };
    return { name, why, bytes: readFileSync(fixture('http', kind, file)), expected };
  });
}

function expectEachWay(bytes: Buffer, expected: Parsed, ways: (bytes: Buffer) => Iterable<Buffer[]> = cuts): void {
  for (const pieces of ways(bytes)) {
    const sizes = pieces.length > 2 ? 'byte by byte' : pieces.map((piece) => piece.length).join(' + ');
    const parsed = parse(pieces);
    // chai's own comparison is slow, and this runs some hundred thousand times.
    if (!isDeepStrictEqual(parsed, expected)) expect(parsed, sizes).to.deep.equal(expected);
  }
}

const next = bytesOf('GET /next HTTP/1.1\r\nHost: n\r\n\r\n');
const nextRequest = {
  method: 'GET',
  target: '/next',
  version: 'HTTP/1.1',
  path: '/next',
  query: '',
  fields: [['Host', 'n']] as [string, string][],
  keepAlive: true,
};
/** What follows, and what becomes of it between two requests. A refused request is refused whatever follows. */
const others: Array<[bytes: Buffer, outcome: Partial<Parsed>]> = [
  [next, { requests: [nextRequest] }],
  [bytesOf('\r\n\r\n'), {}],
  [bytesOf('\0\n\r\r'), { refused: 'BAD_BYTE' }],
  [bytesOf('\r\r\n'), { refused: 'BAD_BYTE' }],
  [bytesOf('GET / HTTP/1.1\r\n\r\n'), { refused: 'BAD_HOST' }],
  [Buffer.alloc(300, 'a'), { unfinished: 'HEAD_CUT' }],
];
const fewCuts = (bytes: Buffer): Buffer[][] => [...cuts(bytes)].slice(0, 2);

describe('the corpus of valid requests', () => {
  for (const { name, why, bytes, expected } of casesOf('valid')) {
    const { requests } = expected;
    it(`${name} is accepted (${why})`, () => {
      expectEachWay(bytes, expected);
      for (const [other, { requests: more = [], ...outcome }] of others) {
        const all = { requests: [...requests, ...more], ...outcome };
        expectEachWay(Buffer.concat([bytes, other]), all, other === next ? cuts : fewCuts);
      }
      expectEachWay(Buffer.concat([bytes, bytes]), { requests: [...requests, ...requests] });
    });
  }
});

describe('the corpus of invalid requests', () => {
  for (const { name, why, bytes, expected } of casesOf('invalid')) {
    it(`${name} is refused with ${expected.refused} (${why})`, () => {
      expectEachWay(bytes, expected);
      for (const [other] of others) expectEachWay(Buffer.concat([bytes, other]), expected);
      expectEachWay(Buffer.concat([next, bytes]), { ...expected, requests: [nextRequest, ...expected.requests] });
    });
  }
});

describe('the corpus of requests', () => {
  it('has an expected result beside each file, and a file beside each result', () => {
    for (const kind of ['valid', 'invalid']) {
      const files = readdirSync(fixture('http', kind));
      const names = (end: string) =>
        files.filter((file) => file.endsWith(end)).map((file) => file.slice(0, -end.length));
      expect(names('.json')).to.deep.equal(names('.http'));
      expect(names('.http')).to.have.lengthOf.above(80);
      expect(files).to.have.lengthOf(2 * names('.http').length);
    }
  });

  it('loses nothing when it is cut off: every beginning of a valid file is unfinished or valid, never refused', () => {
    for (const { name, bytes, expected } of casesOf('valid')) {
      for (let at = 0; at <= bytes.length; at += 1) {
        const { requests, refused, unfinished } = parse([bytes.subarray(0, at)]);
        expect(refused, `${name} at ${at}`).to.equal(undefined);
        expect(unfinished, `${name} at ${at}`).to.be.oneOf([undefined, 'HEAD_CUT', 'BODY_CUT']);
        if (unfinished === undefined) expect(requests).to.deep.equal(expected.requests.slice(0, requests.length));
      }
    }
  });
});
