import { expect } from 'chai';
import * as fc from 'fast-check';
import { ProxyHeaderDecoder } from '../../../src/worker/proxies/proxy-header.ts';
import type { ToldPeer } from '../../../src/worker/transport/peer.ts';
import { cuts } from '../helpers/parse.ts';
import { block4, block6, tlsVector, version2, withChecksum } from '../helpers/proxy-header.ts';

type Outcome = { result: ToldPeer | 'own'; rest: string } | 'more' | 'bad';

/** What comes out when the pieces come one after the other, each in a buffer that is overwritten afterwards. */
function decode(pieces: Iterable<Buffer>): Outcome {
  const decoder = new ProxyHeaderDecoder();
  const after: Buffer[] = [];
  let event: 'more' | 'done' | 'bad' = 'more';
  for (const piece of pieces) {
    const bytes = Buffer.from(piece);
    if (event === 'done') after.push(bytes);
    if (event !== 'more') continue;
    event = decoder.push(bytes);
    if (event === 'done') after.push(Buffer.from(decoder.rest));
    bytes.fill(0x58);
  }
  return event === 'done' ? { result: decoder.result, rest: Buffer.concat(after).toString('latin1') } : event;
}

/** The outcome, which is the same for every cut of the bytes. */
function outcomeOf(bytes: Buffer): Outcome {
  const whole = decode([bytes]);
  for (const pieces of cuts(bytes)) expect(decode(pieces)).to.deep.equal(whole);
  return whole;
}

const text = (line: string): Buffer => Buffer.from(line, 'latin1');
const told = (remote: string, port: string, local: string, localPort: string, isTls = false): ToldPeer => ({
  remote: { address: remote, port },
  local: { address: local, port: localPort },
  isTls,
});
const told4 = told('192.0.2.1', '5000', '198.51.100.2', '443');
const told6 = told('2001:db8::1', '5000', '2001:db8::2:0:0:1', '443');
const unix = told('unix', '', 'unix', '');
const largest = (bytes: number) => version2({ vectors: [[0x04, Buffer.alloc(bytes - 16 - block4.length - 3)]] });

describe('a PROXY protocol header', () => {
  for (const [what, bytes, result] of [
    ['TCP4', text('PROXY TCP4 192.0.2.1 198.51.100.2 5000 443\r\n'), told4],
    ['TCP6', text('PROXY TCP6 2001:db8::1 2001:db8::2:0:0:1 5000 443\r\n'), told6],
    ['port 0', text('PROXY TCP4 192.0.2.1 198.51.100.2 0 65535\r\n'), told('192.0.2.1', '0', '198.51.100.2', '65535')],
    ['UNKNOWN', text('PROXY UNKNOWN\r\n'), 'own'],
    ['the longest line', text(`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`), 'own'],
    ['version 2, TCP over IPv4', version2(), told4],
    ['version 2, TCP over IPv6', version2({ family: 0x21, block: block6 }), told6],
    ['version 2, unix', version2({ family: 0x31, block: Buffer.alloc(216, 0x2f) }), unix],
    ['version 2, UNSPEC', version2({ family: 0, block: Buffer.alloc(0) }), 'own'],
    ['version 2, LOCAL', version2({ command: 0x20, family: 0, block: Buffer.alloc(0) }), 'own'],
    [
      'version 2, LOCAL with anything behind',
      version2({ command: 0x20, family: 0x7f, block: Buffer.alloc(33) }),
      'own',
    ],
    [
      'version 2 with vectors',
      version2({
        vectors: [
          [0x01, text('h2')],
          [0x04, Buffer.alloc(7)],
          [0xe0, text('')],
        ],
      }),
      told4,
    ],
    ['version 2 after TLS', version2({ vectors: [[0x02, text('a.example')], tlsVector] }), { ...told4, isTls: true }],
    ['version 2 after no TLS', version2({ vectors: [[0x20, Buffer.from([0, 0, 0, 0, 0])]] }), told4],
    ['version 2 with its checksum', withChecksum({ vectors: [tlsVector] }), { ...told4, isTls: true }],
    ['version 2 with its checksum, IPv6', withChecksum({ family: 0x21, block: block6 }), told6],
  ] as Array<[string, Buffer, ToldPeer | 'own']>) {
    it(`is understood whatever the cuts: ${what}`, () => {
      expect(outcomeOf(bytes)).to.deep.equal({ result, rest: '' });
      expect(outcomeOf(Buffer.concat([bytes, text('GET / HTTP/1.1\r\n')]))).to.deep.equal({
        result,
        rest: 'GET / HTTP/1.1\r\n',
      });
      for (let length = 0; length < bytes.length; length += 1) {
        expect(decode([bytes.subarray(0, length)]), `the first ${length}`).to.equal('more');
      }
    });
  }

  for (const [what, bytes] of [
    ['a request', text('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ['TLS', Buffer.from('160301', 'hex')],
    ['lower case', text('proxy tcp4 192.0.2.1 198.51.100.2 1 2\r\n')],
    ['a line that ends with LF', text('PROXY TCP4 192.0.2.1 198.51.100.2 1 2\n')],
    ['a CR within', text('PROXY UNKNOWN \r x\r\n')],
    ['two blanks', text('PROXY  TCP4 192.0.2.1 198.51.100.2 1 2\r\n')],
    ['a blank at the end', text('PROXY TCP4 192.0.2.1 198.51.100.2 1 2 \r\n')],
    ['another protocol', text('PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n')],
    ['a missing port', text('PROXY TCP4 192.0.2.1 198.51.100.2 1\r\n')],
    ['a port above 65535', text('PROXY TCP4 192.0.2.1 198.51.100.2 1 65536\r\n')],
    ['a port with a zero in front', text('PROXY TCP4 192.0.2.1 198.51.100.2 01 2\r\n')],
    ['a negative port', text('PROXY TCP4 192.0.2.1 198.51.100.2 -1 2\r\n')],
    ['an address of the other family', text('PROXY TCP4 2001:db8::1 198.51.100.2 1 2\r\n')],
    ['IPv4 as TCP6', text('PROXY TCP6 192.0.2.1 198.51.100.2 1 2\r\n')],
    ['an address that is none', text('PROXY TCP4 192.0.2.300 198.51.100.2 1 2\r\n')],
    ['a name', text('PROXY TCP4 localhost 198.51.100.2 1 2\r\n')],
    ['a line without end', text(`PROXY UNKNOWN ${'f'.repeat(200)}`)],
    ['a line that is too long', text(`PROXY UNKNOWN ${'f'.repeat(92)}\r\n`)],
    ['version 3', version2({ command: 0x31 })],
    ['version 2, an unknown command', version2({ command: 0x22 })],
    ['version 2, datagrams', version2({ family: 0x12 })],
    ['version 2, an unknown family', version2({ family: 0x41 })],
    ['version 2, a short address block', version2({ family: 0x21, block: block4 })],
    ['version 2, a cut vector head', version2({ more: Buffer.from([0x04, 0x00]) })],
    ['version 2, a vector past the end', version2({ more: Buffer.from([0x04, 0x00, 0x02, 0x01]) })],
    ['version 2, a wrong checksum', version2({ vectors: [[0x03, Buffer.from([1, 2, 3, 4])]] })],
    ['version 2, a checksum of another size', version2({ vectors: [[0x03, Buffer.alloc(3)]] })],
    ['version 2, more than anybody needs', largest(16_385).subarray(0, 100)],
  ] as Array<[string, Buffer]>) {
    it(`is refused whatever the cuts: ${what}`, () => {
      expect(outcomeOf(bytes)).to.equal('bad');
    });
  }

  it('may be so long and no longer', () => {
    expect(decode([largest(16_384)])).to.deep.equal({ result: told4, rest: '' });
    expect(decode([largest(16_385)])).to.equal('bad');
  });

  it('is refused at the first byte that cannot begin one', () => {
    expect(decode([text('G')])).to.equal('bad');
    expect(decode([text('\r\n\r\n\r')])).to.equal('bad');
  });

  it('makes the same of any bytes whatever the cuts, and never throws', () => {
    const header = fc.constantFrom(version2(), version2({ family: 0x21, block: block6, vectors: [tlsVector] }));
    const changed = fc
      .tuple(header, fc.nat(), fc.nat(255))
      .map(([bytes, at, byte]) => Buffer.from(bytes).fill(byte, at % bytes.length, (at % bytes.length) + 1));
    const line = fc.string().map((rest) => text(`PROXY ${rest}\r\n`));
    const any = fc.uint8Array().map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(changed, line, any), fc.array(fc.nat(60)), (bytes, ats) => {
        const pieces: Buffer[] = [];
        let from = 0;
        for (const at of [...ats.toSorted((a, b) => a - b), bytes.length]) {
          if (at <= from || at > bytes.length) continue;
          pieces.push(bytes.subarray(from, at));
          from = at;
        }
        expect(decode(pieces)).to.deep.equal(decode([bytes]));
      }),
    );
  });
});
