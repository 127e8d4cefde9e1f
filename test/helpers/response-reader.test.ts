import { expect } from 'chai';
import { announcesClose, header, ResponseReader, text, type RawResponse } from './response-reader.ts';

function read(bytes: string, { methods = [], end = false }: { methods?: string[]; end?: boolean } = {}): RawResponse[] {
  const reader = new ResponseReader();
  reader.expect(...methods);
  reader.push(Buffer.from(bytes, 'latin1'));
  if (end) reader.end();
  return reader.responses;
}

describe('ResponseReader', () => {
  const all =
    'HTTP/1.1 100 Continue\r\nX-Early: yes\r\n\r\n' +
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\none' +
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ntwo\r\nA\r\n0123456789\r\n0\r\nX-Sum: 7\r\n\r\n' +
    'HTTP/1.1 204 \r\nConnection: close\r\n\r\n';

  it('reads every framing, however the bytes are cut', () => {
    const whole = read(all);
    expect(whole.map(({ status, framing }) => [status, framing])).to.deep.equal([
      [200, 'length'],
      [200, 'chunked'],
      [204, 'none'],
    ]);
    expect(whole.map(text)).to.deep.equal(['one', 'two0123456789', '']);
    const reader = new ResponseReader();
    for (const byte of Buffer.from(all, 'latin1')) reader.push(Buffer.of(byte));
    expect(reader.responses).to.deep.equal(whole);
    expect(reader.isBetween).to.equal(true);
  });
  it('keeps interim responses, repeated headers, chunk sizes and trailers', () => {
    const [first, second, third] = read(all);
    expect(first!.interim).to.have.length(1);
    expect(header(first!.interim[0]!, 'x-early')).to.equal('yes');
    expect(header(first!, 'Set-Cookie')).to.equal('a, b');
    expect(second!.chunks).to.deep.equal([3, 10]);
    expect(second!.trailers).to.deep.equal([['X-Sum', '7']]);
    expect([first, second, third].map((response) => announcesClose(response!))).to.deep.equal([false, false, true]);
  });
  it('knows that the response to HEAD has no body', () => {
    const bytes = 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
    expect(read(bytes, { methods: ['HEAD', 'GET'] })).to.have.length(2);
  });
  it('takes the end of the connection as the end of a body without length', () => {
    const bytes = 'HTTP/1.0 200 OK\r\n\r\nuntil the end';
    expect(read(bytes)).to.have.length(0);
    expect(read(bytes, { end: true }).map(text)).to.deep.equal(['until the end']);
  });
  it('does not take a cut response for a whole one', () => {
    const reader = new ResponseReader();
    reader.push(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc'));
    reader.end();
    expect(reader.responses).to.have.length(0);
    expect(reader.isBetween).to.equal(false);
  });
  it('leaves what follows 101 to the new protocol', () => {
    const reader = new ResponseReader();
    reader.push(Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nHTTP/1.1 no'));
    expect(reader.responses[0]!.status).to.equal(101);
    expect(reader.rest.toString()).to.equal('HTTP/1.1 no');
  });
  for (const [what, bytes] of Object.entries({
    'a bad status line': 'HTTP/1.1 20 OK\r\n\r\n',
    'a header line with a blank before the colon': 'HTTP/1.1 200 OK\r\nA : b\r\n\r\n',
    'two framings': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'a length that is no number': 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    'a bad chunk size': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n',
    'a chunk without its CRLF': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n',
  })) {
    it(`refuses ${what}`, () => expect(() => read(bytes)).to.throw());
  }
});
