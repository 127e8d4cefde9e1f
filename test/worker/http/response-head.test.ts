import { expect } from 'chai';
import type { ErrorCode } from '../../../src/shared/errors.ts';
import { EvyError } from '../../../src/shared/errors.ts';
import { checkHead, continueResponse, encodeHead, plainResponse } from '../../../src/worker/http/response-head.ts';
import type { HeadContext } from '../../../src/worker/http/response-head.ts';

const plain: HeadContext = {
  method: 'GET',
  version: 'HTTP/1.1',
  http10Only: false,
  keepAlive: true,
  keepAliveField: '',
};

function head(status: string, headers: [string, string][], context: Partial<HeadContext> = {}, knownLength?: number) {
  const encoded = encodeHead(checkHead(status, headers, true), { ...plain, ...context }, knownLength);
  const lines = encoded.text.split('\r\n');
  expect(lines.splice(-2)).to.deep.equal(['', '']);
  return {
    ...encoded,
    lines: lines.filter((line) => !line.startsWith('Date: ')),
    date: lines.find((line) => line.startsWith('Date: ')),
  };
}

function codeOf(act: () => unknown): ErrorCode | undefined {
  try {
    act();
  } catch (error) {
    if (error instanceof EvyError) return error.code;
    throw error;
  }
  return undefined;
}
const headerCode = (name: string, value: string) => codeOf(() => checkHead('200 OK', [[name, value]], true));
const statusCode = (status: string) => codeOf(() => checkHead(status, [], true));

describe('the head of a response', () => {
  it('refuses names and values with which a header could be forged', () => {
    for (const value of ['a\r\nB: c', 'a\rb', 'a\nb', 'a\0b', '\u2028', '\u010a', 'a\x7f', '\ud83d\ude00']) {
      expect(headerCode('A', value), JSON.stringify(value)).to.equal('APP_BAD_HEADER');
    }
    for (const name of ['', 'A B', 'A:', 'A\r\nB', 'A\0', '\xc4', 'A\n', ' A', '\u212a']) {
      expect(headerCode(name, 'x'), JSON.stringify(name)).to.equal('APP_BAD_HEADER');
    }
    expect(headerCode('A', '\t a \xe4\xff')).to.equal(undefined);
  });

  it('refuses the same in the headers of 100 Continue', () => {
    expect(codeOf(() => continueResponse([['A', 'a\r\nB: c']]))).to.equal('APP_BAD_HEADER');
    expect(codeOf(() => continueResponse([['A B', 'c']]))).to.equal('APP_BAD_HEADER');
    expect(
      continueResponse([
        ['A', 'b'],
        ['C', 'd'],
      ]),
    ).to.equal('HTTP/1.1 100 Continue\r\nA: b\r\nC: d\r\n\r\n');
  });

  it('refuses values that are no strings', () => {
    for (const value of [1, null, undefined, ['a'], { toString: () => 'a' }]) {
      expect(headerCode('A', value as unknown as string)).to.equal('APP_BAD_HEADER');
    }
    expect(headerCode(1 as unknown as string, 'a')).to.equal('APP_BAD_HEADER');
    // Names that no other test gives a value: nothing is remembered of them.
    for (const name of ['X-Never', 'cOntent-length', 'dAte', 'cOnnection', 'kEep-alive']) {
      for (const value of [undefined, null]) {
        expect(headerCode(name, value as unknown as string), name).to.equal('APP_BAD_HEADER');
      }
    }
  });

  it('refuses a status that is not three digits, a space and a reason, or not final', () => {
    for (const status of [
      '200',
      '20 OK',
      '2000 OK',
      'OK',
      '',
      '200\tOK',
      '100 Continue',
      '101 Switching Protocols',
      '600 No',
      '099 No',
      ' 200 OK',
    ]) {
      expect(statusCode(status), status).to.equal('APP_BAD_STATUS');
    }
    for (const status of ['200 OK\r\nA: b', '200 \n', '200 \0', '200 \u20ac']) {
      expect(statusCode(status), JSON.stringify(status)).to.equal('APP_BAD_STATUS');
    }
    expect(statusCode(200 as unknown as string)).to.equal('APP_BAD_STATUS');
    expect(statusCode('200 ')).to.equal(undefined);
    expect(statusCode('599 Any \xe4')).to.equal(undefined);
  });

  it('refuses a Content-Length that is given twice or not made of digits', () => {
    for (const value of ['', '-1', '1.0', '1, 1', '0x1', ' 1', '9'.repeat(16), '9'.repeat(200)]) {
      expect(headerCode('Content-Length', value), value).to.equal('APP_BAD_HEADER');
      // What is remembered of names and values is not mixed up with what was refused.
      expect(checkHead('200 OK', [['Content-Length', '13']], true).length).to.equal(13);
      expect(headerCode('Content-Length', value), value).to.equal('APP_BAD_HEADER');
    }
    expect(
      codeOf(() =>
        checkHead(
          '200 OK',
          [
            ['content-length', '1'],
            ['Content-Length', '1'],
          ],
          true,
        ),
      ),
    ).to.equal('APP_BAD_HEADER');
  });

  it('capitalises names when asked, and leaves them alone when not', () => {
    const names: [string, string][] = [
      ['x-CUSTOM-header', '1'],
      ['ETAG', '2'],
      ['x_y-2z', '3'],
    ];
    expect(checkHead('200 OK', names, true).lines).to.equal('X-Custom-Header: 1\r\nEtag: 2\r\nX_y-2z: 3\r\n');
    expect(checkHead('200 OK', names, false).lines).to.equal('x-CUSTOM-header: 1\r\nETAG: 2\r\nx_y-2z: 3\r\n');
  });

  it('keeps order and repetition', () => {
    const { lines } = checkHead(
      '200 OK',
      [
        ['Set-Cookie', 'a=1'],
        ['B', '2'],
        ['Set-Cookie', 'c=3'],
      ],
      true,
    );
    expect(lines).to.equal('Set-Cookie: a=1\r\nB: 2\r\nSet-Cookie: c=3\r\n');
  });

  it("drops what is the server's to say about its connection", () => {
    const hop = ['Transfer-Encoding', 'Keep-Alive', 'Proxy-Connection', 'TE', 'Trailer', 'Upgrade', 'Connection'];
    const { lines, keepAlive } = head(
      '200 OK',
      hop.map((name) => [name, 'x']),
      {},
      1,
    );
    expect(lines).to.deep.equal(['HTTP/1.1 200 OK', 'Content-Length: 1']);
    expect(keepAlive).to.equal(true);
  });

  it("obeys the application's Connection: close", () => {
    const { lines, keepAlive } = head('200 OK', [['connection', 'x, Close']], {}, 1);
    expect(lines).to.deep.equal(['HTTP/1.1 200 OK', 'Content-Length: 1', 'Connection: close']);
    expect(keepAlive).to.equal(false);
  });

  it('has a Date of this second in the one form that may be sent', () => {
    const { date } = head('200 OK', []);
    expect(date).to.match(/^Date: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/);
    expect(Math.abs(Date.parse(date!.slice(6)) - Date.now())).to.be.below(2000);
  });

  it("leaves the application's own Date alone", () => {
    const own = 'Sun, 06 Nov 1994 08:49:37 GMT';
    expect(head('200 OK', [['date', own]]).text.match(/date: .*/gi)).to.deep.equal([`Date: ${own}`]);
  });

  const close = 'Connection: close';
  const chunked = 'Transfer-Encoding: chunked';
  const table: Array<
    [
      what: string,
      status: string,
      Partial<HeadContext>,
      length: number | undefined,
      framing: string,
      keepAlive: boolean,
      lines: string[],
    ]
  > = [
    ['a known length', '200 OK', {}, 5, 'length', true, ['Content-Length: 5']],
    ['an unknown length', '200 OK', {}, undefined, 'chunked', true, [chunked]],
    ['a known length of 0', '200 OK', {}, 0, 'length', true, ['Content-Length: 0']],
    [
      'an unknown length that may not persist',
      '200 OK',
      { keepAlive: false },
      undefined,
      'chunked',
      false,
      [chunked, close],
    ],
    [
      'a known length in 1.0',
      '200 OK',
      { version: 'HTTP/1.0' },
      5,
      'length',
      true,
      ['Content-Length: 5', 'Connection: keep-alive'],
    ],
    ['an unknown length in 1.0', '200 OK', { version: 'HTTP/1.0' }, undefined, 'close', false, [close]],
    ['an unknown length under 1.0 only', '200 OK', { http10Only: true }, undefined, 'close', false, [close]],
    ['HEAD of a known length', '200 OK', { method: 'HEAD' }, 5, 'none', true, ['Content-Length: 5']],
    ['HEAD of an unknown length', '200 OK', { method: 'HEAD' }, undefined, 'none', true, [chunked]],
    ['204', '204 No Content', {}, 5, 'none', true, []],
    ['304', '304 Not Modified', {}, 5, 'none', true, []],
    ['205', '205 Reset Content', {}, 5, 'none', true, ['Content-Length: 0']],
    ['204 in 1.0', '204 No Content', { version: 'HTTP/1.0' }, undefined, 'none', true, ['Connection: keep-alive']],
    ['CONNECT that succeeds', '200 OK', { method: 'CONNECT' }, 5, 'close', false, [close]],
    ['CONNECT that succeeds with 204', '204 No Content', { method: 'CONNECT' }, 5, 'none', false, [close]],
    ['CONNECT that succeeds with 205', '205 Reset Content', { method: 'CONNECT' }, 5, 'none', false, [close]],
    ['CONNECT that fails', '405 No', { method: 'CONNECT' }, 5, 'length', true, ['Content-Length: 5']],
  ];
  for (const [what, status, context, length, framing, keepAlive, lines] of table) {
    it(`frames ${what} as ${framing}`, () => {
      const encoded = head(status, [], context, length);
      expect(encoded.lines).to.deep.equal([`HTTP/1.${context.http10Only ? 0 : 1} ${status}`, ...lines]);
      expect(encoded.framing).to.equal(framing);
      expect(encoded.keepAlive).to.equal(keepAlive);
    });
  }

  it("prefers the application's Content-Length to what is known of the body", () => {
    expect(head('200 OK', [['Content-Length', '7']], {}, 5).lines).to.include('Content-Length: 7');
  });

  it('tells the length of a 304 only when the application does, and never that of a 204', () => {
    const given: [string, string][] = [['Content-Length', '7']];
    expect(head('304 Not Modified', given).lines).to.deep.equal(['HTTP/1.1 304 Not Modified', 'Content-Length: 7']);
    expect(head('204 No Content', given).lines).to.deep.equal(['HTTP/1.1 204 No Content']);
  });
});

describe("the server's own plain answers", () => {
  it('say what they say in their length, end the connection, and have no body for HEAD', () => {
    const [top, body] = plainResponse('400 Bad Request', '400 Bad Request\n', {
      method: 'GET',
      http10Only: false,
    }).split('\r\n\r\n');
    expect(top)
      .to.match(/^HTTP\/1\.1 400 Bad Request\r\n/)
      .and.include('Content-Length: 16')
      .and.include('Connection: close')
      .and.match(/^Date: /m);
    expect(body).to.equal('400 Bad Request\n');
    expect(plainResponse('400 Bad Request', 'x', { method: 'HEAD', http10Only: true })).to.match(
      /^HTTP\/1\.0 400 [^]*\r\n\r\n$/,
    );
  });
});
