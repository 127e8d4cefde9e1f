/**
 * Bytes that are nearly requests: pieces of the grammar of RFC 9112, most of them right, joined, and then a few of their
 * bytes changed. Random bytes alone never get past the request line. Everything shrinks to fewer and simpler pieces.
 */
import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { fixture } from '../helpers/files.ts';
import { bytesOf } from '../worker/helpers/parse.ts';

/** One of `right`, `weight` times as often as one of `wrong`. */
function mostly(weight: number, right: readonly string[], wrong: readonly string[]): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 2 * weight, arbitrary: fc.constantFrom(...right) },
    { weight: 1, arbitrary: fc.constantFrom(...wrong) },
  );
}

const joined = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...parts).map((texts) => texts.join(''));
const repeated = (part: fc.Arbitrary<string>, maxLength: number): fc.Arbitrary<string> =>
  fc.array(part, { maxLength }).map((texts) => texts.join(''));

const lineEnd = mostly(60, ['\r\n'], ['\n', '\r', '\r\r\n', '\rx', '\r\n ', '\r\n\t', '']);
const blank = mostly(60, [' '], ['  ', '\t', '', '\v', '\xa0', ' \t']);
const methods = ['GET', 'POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE', 'PURGE', 'QUERY', 'TRACE'];
const method = mostly(20, methods, [
  'get',
  'Get',
  'BREW',
  "A!#$%&'*+-.^_`|~9",
  'G:T',
  'G(T',
  '',
  'GET\x80',
  'PRI',
  '"G"',
]);
const targets = ['/', '/a', '/a?b=c', '/%41/../x', '//', '/?', '/a;b', 'http://h.example/p?q', 'http://h.example'];
const target = mostly(
  12,
  [...targets, '/"<>[]\\^`{|}'],
  [
    'h.example:443',
    '*',
    '',
    'a',
    '/#f',
    '/a b',
    '/\x80',
    '/\0',
    '/\x7f',
    'http://',
    'ftp://h/',
    'http://u@h/',
    'https://H/#x',
    '/\t',
    '[::1]:1',
    '**',
    '?a',
  ],
);
const oddTarget = mostly(
  10,
  ['*', 'h.example:443', '[::1]:80', 'http://h.example'],
  ['h.example', '/', ':80', 'h:', ''],
);
const version = mostly(
  20,
  ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'],
  [
    'HTTP/2.0',
    'HTTP/1.2',
    'HTTP/0.9',
    'http/1.1',
    'HTTP/1',
    'HTTP/01.1',
    'HTTP/1.1 ',
    'HTTP/1,1',
    'HTTP/1.1x',
    'ICE/1.0',
    '',
    'RTSP/1.0',
  ],
);

const hostValues = ['h.example', 'h.example:80', '127.0.0.1', '[::1]:8080', 'h:', 'a%20b', 'h_x', 'xn--a'];
const hostField = mostly(
  25,
  hostValues.map((value) => `Host: ${value}\r\n`),
  [
    '',
    'Host:\r\n',
    'Host: a\r\nHost: a\r\n',
    'Host: a, b\r\n',
    'Host : a\r\n',
    'Host: a/b\r\n',
    'Host: u@a\r\n',
    'Host: [::1\r\n',
    'Host: a:b\r\n',
    'Host: \x80\r\n',
    'Host: [fe80::1%25eth0]\r\n',
    'Host: a b\r\n',
  ],
);
const fieldName = mostly(
  15,
  ['A', 'X-Long-Name', 'Accept', 'Cookie', 'a_b', '__proto__', "!#$%&'*+-.^_`|~9", 'Content-Type', 'TE', 'Trailer'],
  ['', ' A', 'A ', 'A\t', 'A B', 'A(', 'A\x80', 'A\0', '\tA', '"A"', 'A\r', 'Content-Length\0', 'Transfer-Encoding '],
);
const fieldValue = mostly(
  15,
  ['', 'b', 'b c', '  b  ', '\tb\t', 'a, b', '"q"', '\x80\xff', 'a:b', '=;', 'b \t c'],
  ['\0', '\x7f', '\x01', 'a\rb', 'a\nb', 'a\r\n b', '\x1b', '\v', 'a\r'],
);
const plainField = joined(fieldName, mostly(40, [':', ': '], ['', ' :', ';', '=']), fieldValue, lineEnd);
const connectionField = fc
  .constantFrom(
    'close',
    'keep-alive',
    'keep-alive, close',
    'Close',
    'upgrade',
    'close, keep-alive',
    ',',
    'TE',
    'close\t',
    'x,close',
  )
  .map((value) => `Connection: ${value}\r\n`);
const specialField = fc.oneof(
  connectionField,
  mostly(
    5,
    ['Expect: 100-continue\r\n', 'Expect: 100-Continue\r\n'],
    ['Expect: x\r\n', 'Expect:\r\n', 'Expect: 100-continue, x\r\n'],
  ),
  fc.constantFrom(
    'Upgrade: websocket\r\nConnection: Upgrade\r\n',
    'Upgrade: h2c\r\n',
    'Keep-Alive: 5\r\n',
    'Proxy-Connection: close\r\n',
  ),
);
const fields = repeated(fc.oneof({ weight: 4, arbitrary: plainField }, { weight: 1, arbitrary: specialField }), 3);

const data = fc.constantFrom(
  '',
  'a',
  'abc',
  '\r\n',
  'hello world',
  '0\r\n\r\n',
  '\x80\xff\0',
  'GET / HTTP/1.1\r\nHost: s\r\n\r\n',
);
const lengthName = mostly(
  12,
  ['Content-Length', 'content-length', 'CONTENT-LENGTH'],
  ['Content-Length ', 'Content_Length', 'Content-Lengt'],
);
const lengthOf = mostly(10, ['', '0', '00'], ['+', '-', ' ', '0x', '1', ',', '"', '\t', '\v', '1e']);
const lengthEnd = mostly(12, ['', ' ', '\t'], [',', ', 1', '.0', ' 1', 'e0', '_', '\v', '\0', '\r\nContent-Length: 1']);
const withLength = fc
  .tuple(data, lengthName, lengthOf, lengthEnd, mostly(20, ['exact'], ['one more', 'one less']))
  .map(([body, name, before, after, how]) => {
    const length = body.length + (how === 'exact' ? 0 : how === 'one more' ? 1 : -1);
    return { fields: `${name}: ${before}${length}${after}\r\n`, body };
  });

const codings = ['chunked', 'Chunked', 'CHUNKED', ' chunked', 'chunked ', 'chunked\t', '\tchunked'];
const oddCodings = [
  'gzip, chunked',
  'chunked, gzip',
  'chunked, chunked',
  'identity',
  'gzip',
  'xchunked',
  'chunked;q=1',
  '"chunked"',
];
const coding = mostly(8, codings, [
  ...oddCodings,
  'chunked,',
  ', chunked',
  '',
  'identity, chunked',
  '\vchunked',
  'chunked\0',
  'chunked\r\nTransfer-Encoding: chunked',
  'chu nked',
]);
const codingName = mostly(
  15,
  ['Transfer-Encoding', 'transfer-encoding'],
  ['Transfer-Encoding ', 'Transfer_Encoding', 'Transfer-Encodin', 'X\r\n Transfer-Encoding'],
);
const size = mostly(15, ['', '0', '000'], ['+', '-', '0x', ' ', '\t', 'g', '"', '1']);
const extension = mostly(
  10,
  ['', '', '', ';a', ';a=b', ';a="b;\\"c"', ' ; a = b', ';a=b;c'],
  [
    ';',
    ';=',
    ';a=',
    ';a="',
    ' ',
    '\t',
    ';\n',
    ';a\n',
    ';\0',
    ';a="\x80"',
    ';a="\r"',
    'x',
    ';a b',
    ';a=(',
    ';;a',
    '\v',
    ';a\r',
  ],
);
const chunk = fc
  .tuple(data, size, extension, lineEnd, lineEnd, fc.boolean(), mostly(30, ['exact'], ['one more', 'one less']))
  .map(([bytes, before, after, sizeEnd, dataEnd, upper, how]) => {
    const length = Math.max(0, bytes.length + (how === 'exact' ? 0 : how === 'one more' ? 1 : -1));
    const digits = length.toString(16);
    return bytes === '' ? '' : `${before}${upper ? digits.toUpperCase() : digits}${after}${sizeEnd}${bytes}${dataEnd}`;
  });
const lastChunk = joined(
  mostly(12, ['0', '000'], ['', '-0', '+0', '0x0', 'fffffffffffffffff', '00000000000000000', '1']),
  extension,
  lineEnd,
);
const trailers = repeated(
  fc.oneof(
    { weight: 3, arbitrary: plainField },
    { weight: 1, arbitrary: fc.constantFrom('Content-Length: 5\r\n', 'Host: x\r\n', 'Transfer-Encoding: chunked\r\n') },
  ),
  2,
);
const chunkedBody = joined(
  repeated(chunk, 3),
  lastChunk,
  fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: trailers }),
  lineEnd,
);
const withChunks = fc
  .tuple(codingName, coding, chunkedBody)
  .map(([name, value, body]) => ({ fields: `${name}: ${value}\r\n`, body }));
const withBoth = fc
  .tuple(withLength, withChunks, fc.boolean())
  .map(([a, b, first]) => ({ fields: first ? a.fields + b.fields : b.fields + a.fields, body: b.body }));
const framed = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ fields: '', body: '' }) },
  { weight: 5, arbitrary: withLength },
  { weight: 7, arbitrary: withChunks },
  { weight: 1, arbitrary: withBoth },
);

const emptyLines = mostly(15, [''], ['\r\n', '\r\n\r\n', '\n', '\r', ' ', '\0', '\r\n'.repeat(9)]);
const requestLine = joined(
  emptyLines,
  fc.oneof(
    { weight: 12, arbitrary: joined(method, blank, target) },
    { weight: 1, arbitrary: joined(fc.constantFrom('OPTIONS', 'CONNECT'), blank, oddTarget) },
  ),
  blank,
  version,
  lineEnd,
);
/** One request, right in most of its pieces. */
const message = fc
  .tuple(requestLine, fields, hostField, framed, fields, lineEnd)
  .map(
    ([line, before, host, { fields: framing, body }, after, end]) =>
      line + before + host + framing + after + end + body,
  );

/** What is done to bytes that were right: at a place, one of a few deeds. */
const tokens = [
  '\0',
  '\r',
  '\n',
  '\r\n',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '"',
  '0',
  'a',
  '\x80',
  '\xff',
  '\v',
  '\x7f',
  '\r\n\r\n',
  '\r\n ',
];
const mutation = fc.record({
  at: fc.nat(600),
  deed: fc.constantFrom('insert', 'replace', 'remove', 'double', 'cut'),
  token: fc.constantFrom(...tokens),
});
type Mutation = { at: number; deed: string; token: string };
const mutations = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Mutation[]>([]) },
  { weight: 2, arbitrary: fc.array(mutation, { minLength: 1, maxLength: 3 }) },
);
const someMutations = fc.array(mutation, { minLength: 1, maxLength: 4 });

function mutate(text: string, deeds: readonly Mutation[]): string {
  let mutated = text;
  for (const { at, deed, token } of deeds) {
    const place = mutated.length === 0 ? 0 : at % mutated.length;
    const [before, after] = [mutated.slice(0, place), mutated.slice(place)];
    if (deed === 'insert') mutated = before + token + after;
    else if (deed === 'replace') mutated = before + token + after.slice(token.length);
    else if (deed === 'remove') mutated = before + after.slice(1);
    else if (deed === 'double') mutated = before + after.slice(0, 8) + after;
    else mutated = before;
  }
  return mutated;
}

const corpusTexts = ['valid', 'invalid'].flatMap((kind) =>
  readdirSync(fixture('http', kind))
    .filter((file) => file.endsWith('.http'))
    .map((file) => readFileSync(fixture('http', kind, file), 'latin1'))
    .filter((text) => text.length <= 2000),
);

/** One to three requests after each other, each nearly right; or the same one again, as clients repeat theirs. */
const messages = fc.oneof(
  { weight: 4, arbitrary: repeated(message, 3) },
  { weight: 1, arbitrary: message.map((text) => text.repeat(2)) },
);
export const nearRequests: fc.Arbitrary<Buffer> = fc
  .tuple(messages, mutations)
  .map(([text, deeds]) => bytesOf(mutate(text, deeds)));

/** A file of the corpus with some bytes changed, before or after another one. */
export const nearCorpus: fc.Arbitrary<Buffer> = fc
  .tuple(fc.array(fc.constantFrom(...corpusTexts), { minLength: 1, maxLength: 2 }), someMutations)
  .map(([texts, deeds]) => bytesOf(mutate(texts.join(''), deeds)));

/** Bytes of no meaning, and some that nearly have one. */
export const anyBytes: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.constantFrom(
      '',
      'GET ',
      'GET / HTTP/1.1\r\n',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    ),
    fc.uint8Array({ maxLength: 120 }),
  )
  .map(([start, octets]) => Buffer.concat([bytesOf(start), octets]));

/** A request of which one piece goes on and on: what limits are for. */
export const longRequests: fc.Arbitrary<Buffer> = fc
  .tuple(message, fc.nat(600), fc.integer({ min: 1, max: 40 }), fc.integer({ min: 20, max: 120 }))
  .map(([text, at, length, times]) => {
    const place = text.length === 0 ? 0 : at % text.length;
    return bytesOf(text.slice(0, place) + text.slice(place, place + length).repeat(times) + text.slice(place));
  });

const positions = fc.array(fc.nat(600), { maxLength: 6 });

/** Bytes, and where to cut them. */
export const cutInput = (bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<[bytes: Buffer, cuts: number[]]> =>
  fc.tuple(bytes, positions);

/** The pieces that the positions make of the bytes. */
export function cutAt(bytes: Buffer, at: readonly number[]): Buffer[] {
  const inside = at.map((position) => position % (bytes.length + 1));
  const ends = [...new Set(inside), bytes.length].toSorted((a, b) => a - b);
  return ends
    .map((end, index) => bytes.subarray(index === 0 ? 0 : ends[index - 1], end))
    .filter((piece) => piece.length > 0);
}
