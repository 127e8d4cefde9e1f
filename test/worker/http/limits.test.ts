import { isDeepStrictEqual } from 'node:util';
import { expect } from 'chai';
import type { ErrorCode } from '../../../src/shared/errors.ts';
import type { RequestLimits } from '../../../src/worker/http/request-parser.ts';
import { bytesOf, cuts, parse } from '../helpers/parse.ts';

/** Each limit as small as it can be, so that every split can be tried. */
const limits: Partial<RequestLimits> = { urlLengthLimit: 64, maxHeadBytes: 128, maxHeaders: 5, maxBodyBytes: 32 };

const requestLine = (bytes: number) => `GET /${'x'.repeat(bytes - 'GET / HTTP/1.1'.length)} HTTP/1.1\r\n`;
const host = 'Host: a\r\n';
const filler = (bytes: number) => `X: ${'y'.repeat(bytes - 'X: \r\n'.length)}\r\n`;
const fields = (count: number) => 'A: 1\r\n'.repeat(count);
const withLength = (bytes: number) => `POST / HTTP/1.1\r\n${host}Content-Length: ${bytes}\r\n\r\n${'z'.repeat(bytes)}`;
const chunked = `POST / HTTP/1.1\r\n${host}Transfer-Encoding: chunked\r\n\r\n`;
const chunk = (bytes: number) => `${bytes.toString(16)}\r\n${'z'.repeat(bytes)}\r\n`;

function outcome(text: string, given: Partial<RequestLimits>): ErrorCode | number | undefined {
  const bytes = bytesOf(text);
  const whole = parse([bytes], given);
  for (const pieces of cuts(bytes)) {
    const parsed = parse(pieces, given);
    if (!isDeepStrictEqual(parsed, whole))
      expect(parsed, `in ${pieces.length} pieces, first ${pieces[0]!.length}`).to.deep.equal(whole);
  }
  return whole.refused ?? whole.unfinished ?? whole.requests.length;
}

const expectFits = (text: string, given = limits) => expect(outcome(text, given)).to.equal(1);
const expectRefused = (text: string, code: ErrorCode, given = limits) => expect(outcome(text, given)).to.equal(code);

describe('limits of a request, under every split', () => {
  it('a request line may be as long as urlLengthLimit and no byte longer', () => {
    expectFits(`${requestLine(64)}${host}\r\n`);
    expectRefused(`${requestLine(65)}${host}\r\n`, 'URI_TOO_LONG');
    expectRefused(`${requestLine(200)}${host}\r\n`, 'URI_TOO_LONG');
  });

  it('a request line that never ends is refused without waiting for its end', () => {
    expectRefused(`GET /${'x'.repeat(500)}`, 'URI_TOO_LONG');
    expect(outcome(`GET /${'x'.repeat(59)}`, limits)).to.equal('HEAD_CUT');
  });

  it('empty lines in front do not count as request line', () => {
    expectFits(`\r\n\r\n${requestLine(64)}${host}\r\n`);
    expectRefused(`\r\n\r\n${requestLine(65)}${host}\r\n`, 'URI_TOO_LONG');
  });

  it('header lines may have maxHeadBytes in all, line ends counted, and no byte more', () => {
    expectFits(`${requestLine(64)}${host}${filler(128 - host.length)}\r\n`);
    expectRefused(`${requestLine(64)}${host}${filler(129 - host.length)}\r\n`, 'HEAD_TOO_LARGE');
    expectRefused(`${requestLine(30)}${host}${filler(129 - host.length)}\r\n`, 'HEAD_TOO_LARGE');
  });

  it('a header that never ends is refused without waiting for its end', () => {
    expectRefused(`GET / HTTP/1.1\r\n${host}X: ${'y'.repeat(500)}`, 'HEAD_TOO_LARGE');
  });

  it('there may be maxHeaders fields and no field more', () => {
    expectFits(`GET / HTTP/1.1\r\n${host}${fields(4)}\r\n`);
    expectRefused(`GET / HTTP/1.1\r\n${host}${fields(5)}\r\n`, 'TOO_MANY_HEADERS');
  });

  it('a body may have maxBodyBytes and no byte more', () => {
    expectFits(withLength(32));
    expectRefused(withLength(33), 'BODY_TOO_LARGE');
  });

  it('the chunks of a body may have maxBodyBytes in all and no byte more', () => {
    expectFits(`${chunked}${chunk(20)}${chunk(12)}0\r\n\r\n`);
    expectRefused(`${chunked}${chunk(20)}${chunk(13)}0\r\n\r\n`, 'BODY_TOO_LARGE');
    expectRefused(`${chunked}${chunk(33)}0\r\n\r\n`, 'BODY_TOO_LARGE');
  });

  it('each request of a connection has the whole limit', () => {
    const one = `${requestLine(64)}${host}${filler(128 - host.length)}\r\n`;
    expect(outcome(one + one + withLength(32) + withLength(32), limits)).to.equal(4);
  });

  it('a limit of 0 for bodies is none', () => {
    expectFits(withLength(100), { maxBodyBytes: 0 });
    expectFits(`${chunked}${chunk(100)}0\r\n\r\n`, { maxBodyBytes: 0 });
  });

  it('trailers may have maxHeadBytes in all and no byte more', () => {
    expectFits(`${chunked}0\r\n${filler(128)}\r\n`);
    expectRefused(`${chunked}0\r\n${filler(129)}\r\n`, 'TRAILERS_TOO_LARGE');
    expectRefused(`${chunked}0\r\nX: ${'y'.repeat(500)}`, 'TRAILERS_TOO_LARGE');
  });

  it('there may be maxHeaders trailers and none more', () => {
    expectFits(`${chunked}0\r\n${fields(5)}\r\n`);
    expectRefused(`${chunked}0\r\n${fields(6)}\r\n`, 'TRAILERS_TOO_LARGE');
  });

  it('a chunk line may have 1024 bytes with its line end, and no byte more', () => {
    const line = (bytes: number) => `1;${'e'.repeat(bytes - 4)}\r\nz\r\n`;
    expectFits(`${chunked}${line(1024)}0\r\n\r\n`);
    expectRefused(`${chunked}${line(1025)}0\r\n\r\n`, 'BAD_CHUNK');
    expectRefused(`${chunked}1;${'e'.repeat(2000)}`, 'BAD_CHUNK');
    expectRefused(`${chunked}${'0'.repeat(2000)}`, 'BAD_CHUNK');
  });

  it('the extensions of one body may not go on for ever', () => {
    const flood = `1;${'e'.repeat(999)}\r\nz\r\n`;
    const bytes = (times: number) => [bytesOf(`${chunked}${flood.repeat(times)}0\r\n\r\n`)];
    expect(parse(bytes(16)).refused).to.equal(undefined);
    expect(parse(bytes(17)).refused).to.equal('BAD_CHUNK');
  });
});
