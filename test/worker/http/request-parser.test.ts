import { expect } from 'chai';
import * as fc from 'fast-check';
import { errorTable } from '../../../src/shared/errors.ts';
import { RequestParser } from '../../../src/worker/http/request-parser.ts';
import { bytesOf, defaultLimits, parse } from '../helpers/parse.ts';

const limits = { urlLengthLimit: 64, maxHeadBytes: 256, maxHeaders: 8, maxBodyBytes: 64 };

/** Words that requests are made of, whole and broken, so that random texts get deep into the parser. */
const words = [
  ['GET', 'POST', 'CONNECT', 'OPTIONS', ' ', '/', '*', '/a?b', 'http://h/', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/2.0'],
  ['\r\n', '\r\n', '\r\n', '\r\n\r\n', '\r', '\n', '\t', ':', ';', ',', '\0', '\xff', '"'],
  ['Host: a', 'Content-Length: ', 'Transfer-Encoding: chunked', 'Connection: close', 'Expect: 100-continue', 'X: y'],
  ['0', '1', '5', 'a', 'ff', 'abcde', '0\r\n\r\n', '5\r\nabcde\r\n', 'x'.repeat(70)],
  ['GET / HTTP/1.1\r\nHost: a\r\n', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabcde'],
  ['POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'],
].flat();
const text = fc.array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...words) }, fc.string({ maxLength: 4 })), {
  maxLength: 24,
});
const positions = fc.array(fc.nat(400), { maxLength: 12 });

function cutAt(bytes: Buffer, at: readonly number[]): Buffer[] {
  const ends = [...new Set(at.map((position) => Math.min(position, bytes.length))), bytes.length].toSorted(
    (a, b) => a - b,
  );
  return ends
    .map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
    .filter((piece) => piece.length > 0);
}

describe('RequestParser', () => {
  it('makes the same of any bytes whatever the cuts, and never throws', () => {
    fc.assert(
      fc.property(text, positions, (parts, at) => {
        const bytes = bytesOf(parts.join(''));
        expect(parse(cutAt(bytes, at), limits)).to.deep.equal(parse([bytes], limits));
      }),
      { numRuns: 5000, seed: 9112 },
    );
  });

  it('refuses bytes of no meaning with a code that has a status, and never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), positions, (octets, at) => {
        const bytes = Buffer.from(octets);
        const { refused, unfinished } = parse(cutAt(bytes, at), limits);
        const code = refused ?? unfinished;
        if (code !== undefined) expect(errorTable[code].status).to.be.within(400, 505);
        expect(parse([bytes], limits).refused).to.equal(refused);
      }),
      { numRuns: 3000, seed: 9110 },
    );
  });

  it('stays refused, and takes no more bytes in', () => {
    const parser = new RequestParser(defaultLimits);
    parser.push(bytesOf('\0'));
    expect(parser.next()).to.equal('refused');
    parser.push(bytesOf('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
    expect(parser.next()).to.equal('refused');
    expect(parser.fault).to.equal('BAD_BYTE');
  });

  it('tells how much of a body is still to come', () => {
    const parser = new RequestParser(defaultLimits);
    parser.push(bytesOf('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab'));
    expect(parser.bodyBytesLeft).to.equal(0);
    expect(parser.next()).to.equal('head');
    expect(parser.bodyBytesLeft).to.equal(5);
    expect(parser.next()).to.equal('data');
    expect(parser.bodyBytesLeft).to.equal(3);
    expect(parser.next()).to.equal('need-data');
    parser.push(bytesOf('cde'));
    expect([parser.next(), parser.next(), parser.next()]).to.deep.equal(['data', 'end', 'need-data']);
    expect(parser.bodyBytesLeft).to.equal(0);
  });

  it('hands out what was pushed and not consumed', () => {
    const parser = new RequestParser(defaultLimits);
    parser.push(bytesOf('GET / HTTP/1.1\r\nHost: a\r\n\r\nother protocol'));
    expect(parser.next()).to.equal('head');
    expect(parser.buffered).to.equal(14);
    expect(parser.takeRest().toString()).to.equal('other protocol');
    expect(parser.buffered).to.equal(0);
    expect(parser.next()).to.equal('need-data');
  });

  it('knows when part of a head was consumed', () => {
    const parser = new RequestParser(defaultLimits);
    const isMidHeadAfter = (bytes: string) => {
      parser.push(bytesOf(bytes));
      parser.next();
      return parser.isMidHead;
    };
    expect(parser.isMidHead).to.equal(false);
    expect(isMidHeadAfter('\r')).to.equal(true); // of an empty line
    expect(isMidHeadAfter('\n')).to.equal(false);
    expect(isMidHeadAfter('G')).to.equal(true);
    expect(isMidHeadAfter('ET / HTTP/1.0\r\n\r\n')).to.equal(false);
  });

  it('does not take the method of the request before for that of one whose head is refused', () => {
    const parser = new RequestParser(defaultLimits);
    parser.push(bytesOf('HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nA\0\r\n\r\n'));
    expect([parser.next(), parser.next()]).to.deep.equal(['head', 'refused']);
    expect(parser.line.method).to.equal('');
  });

  it('nor for that of one that is refused before it began', () => {
    for (const bad of ['\rGET / HTTP/1.1\r\n\r\n', '\r\n'.repeat(9)]) {
      const parser = new RequestParser(defaultLimits);
      parser.push(bytesOf(`HEAD / HTTP/1.1\r\nHost: a\r\n\r\n${bad}`));
      expect([parser.next(), parser.next()]).to.deep.equal(['head', 'refused']);
      expect(parser.line.method).to.equal('');
    }
  });

  it('keeps a small head to recognise it, whatever was pipelined, and forgets a large one', () => {
    const parser = new RequestParser({ urlLengthLimit: 8192, maxHeadBytes: 65_536, maxHeaders: 100, maxBodyBytes: 0 });
    const next = (bytes: string) => {
      parser.push(Buffer.from(bytes, 'latin1'));
      return parser.next();
    };
    const small = 'GET /small HTTP/1.1\r\nHost: a\r\n\r\n';
    expect(next(small)).to.equal('head');
    const { block } = parser;
    parser.forget();
    expect(next(small.repeat(200))).to.equal('head');
    for (let times = 1; times < 200; times += 1) {
      parser.forget();
      expect(parser.next()).to.equal('head');
    }
    parser.forget();
    expect(parser.block).to.equal(block);
    expect(next(`GET /large HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(3000)}\r\n\r\n`)).to.equal('head');
    expect([parser.line.target, parser.block.fields.length]).to.deep.equal(['/large', 2]);
    parser.forget();
    expect([parser.line.target, parser.block.fields.length]).to.deep.equal(['', 0]);
    expect(next(small)).to.equal('head');
    expect(parser.line.target).to.equal('/small');
  });

  it('makes of a head that comes again before a body what it would make of it alone, wherever it is cut', () => {
    const post = (body: string, field = 'a') =>
      `POST /x HTTP/1.1\r\nHost: ${field}\r\nContent-Length: 3\r\n\r\n${body}`;
    const all = [
      post('one'),
      post('POS'),
      post('two', 'b'),
      post('\r\n\r'),
      'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
      post('end'),
    ];
    const alone = all.flatMap((request) => parse([bytesOf(request)], defaultLimits).requests);
    const bytes = bytesOf(all.join(''));
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      for (const pieces of [cutAt(bytes, [cut]), cutAt(bytes, [cut, cut + 3, cut + 71])]) {
        expect(parse(pieces, defaultLimits)).to.deep.equal({ requests: alone });
      }
    }
  });
});
