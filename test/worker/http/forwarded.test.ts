import { expect } from 'chai';
import * as fc from 'fast-check';
import { lastElementStart, parseElement, parseNode } from '../../../src/worker/http/forwarded.ts';

/** The elements of a field value, the last one first. */
function elementsOf(text: string): string[] {
  const elements: string[] = [];
  for (let end = text.length; end >= 0;) {
    const start = lastElementStart(text, end);
    elements.push(text.slice(start, end));
    end = start - 1;
  }
  return elements;
}

describe('Forwarded', () => {
  it('is taken apart from the right, outside of quoted strings', () => {
    expect(elementsOf('')).to.deep.equal(['']);
    expect(elementsOf('for=a')).to.deep.equal(['for=a']);
    expect(elementsOf('for=a, for=b,for=c')).to.deep.equal(['for=c', ' for=b', 'for=a']);
    expect(elementsOf('for="a,b", for=c')).to.deep.equal([' for=c', 'for="a,b"']);
    expect(elementsOf(String.raw`for="a\",b", for="c\\"`)).to.deep.equal([
      String.raw` for="c\\"`,
      String.raw`for="a\",b"`,
    ]);
  });

  it('has its last elements whole whatever a client left open before them', () => {
    for (const start of ['for="', String.raw`for="\\`, 'for="a, for=b"', '"', '",', String.raw`for="a\"`, 'for=a;"']) {
      expect(elementsOf(`${start}, for="[2001:db8::1]:80"`)[0], start).to.equal(' for="[2001:db8::1]:80"');
      expect(elementsOf(`${start}, for=1.2.3.4, for=5.6.7.8`).slice(0, 2), start).to.deep.equal([
        ' for=5.6.7.8',
        ' for=1.2.3.4',
      ]);
    }
  });

  for (const [text, element] of [
    ['for=192.0.2.60;proto=http;by=203.0.113.43', { for: '192.0.2.60', proto: 'http', by: '203.0.113.43' }],
    ['For="[2001:db8:cafe::17]:4711"', { for: '[2001:db8:cafe::17]:4711' }],
    ['for="_gazonk"', { for: '_gazonk' }],
    ['for=unknown;;host="a.example:8080";', { for: 'unknown', host: 'a.example:8080' }],
    [String.raw`host="a\"b\\c"`, { host: String.raw`a"b\c` }],
    [' for=a ; PROTO=https ', { for: 'a', proto: 'https' }],
    ['secret=x;for=a', { for: 'a' }],
    ['host="a;b=c"', { host: 'a;b=c' }],
    ['host=""', { host: '' }],
    ['', {}],
    // Malformed.
    ['for=a;for=b', undefined],
    ['for', undefined],
    ['for=', undefined],
    ['for =a', undefined],
    ['=a', undefined],
    ['for=192.0.2.60:80', undefined],
    ['for=[2001:db8::1]', undefined],
    ['for="a', undefined],
    ['for=a"', undefined],
    ['for="a"b', undefined],
    ['for=a b', undefined],
    [String.raw`for="a\"`, undefined],
  ] as Array<[string, object | undefined]>) {
    it(`${element === undefined ? 'refuses' : 'reads'} the element '${text}'`, () => {
      expect(parseElement(text)).to.deep.equal(element);
    });
  }

  for (const [text, bare, node] of [
    ['192.0.2.1', false, ['address', '192.0.2.1', '']],
    ['192.0.2.1:80', false, ['address', '192.0.2.1', '80']],
    ['[2001:db8::1]', false, ['address', '2001:db8::1', '']],
    ['[2001:db8::1]:65535', false, ['address', '2001:db8::1', '65535']],
    ['[2001:db8::1]:_http', false, ['address', '2001:db8::1', '']],
    ['192.0.2.1:99999', false, ['address', '192.0.2.1', '']],
    ['unknown', false, ['hidden', 'unknown', '']],
    ['Unknown:81', false, ['hidden', 'Unknown', '81']],
    ['_a.b-c:_d', false, ['hidden', '_a.b-c', '']],
    ['2001:db8::1', true, ['address', '2001:db8::1', '']],
    ['2001:db8::1', false, undefined],
    ['192.0.2.1:', false, undefined],
    ['192.0.2.1:port', false, undefined],
    ['a.example', true, undefined],
    ['unix:', true, undefined],
    ['_', false, undefined],
    ['_a b', false, undefined],
    ['fe80::1%eth0', true, undefined],
    ['', true, undefined],
  ] as Array<[string, boolean, [string, string, string] | undefined]>) {
    it(`takes '${text}'${bare ? ' of X-Forwarded-For' : ''} for ${node === undefined ? 'no node' : node.join(' ')}`, () => {
      const found = parseNode(text, bare);
      expect(found && [found.kind, found.name, found.port]).to.deep.equal(node);
    });
  }

  it('is taken apart without a throw and without end, whatever it holds', () => {
    const pieces = fc.constantFrom(
      'for',
      '=',
      '"',
      '\\',
      ',',
      ';',
      ' ',
      '1.2.3.4',
      '[::1]',
      '_x',
      ':80',
      'proto',
      '\xff',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.array(pieces).map((all) => all.join('')),
        ),
        (text) => {
          const elements = elementsOf(text);
          expect(elements.toReversed().join(',')).to.equal(text);
          for (const element of elements) parseElement(element);
          parseNode(text, true);
        },
      ),
    );
  });

  it('is read in a time that grows with its length alone', () => {
    for (const text of ['\\"'.repeat(30_000), '"\\'.repeat(30_000), 'for="a,b",'.repeat(6000), '\\'.repeat(60_000)]) {
      for (const element of elementsOf(text)) parseElement(element);
    }
  });
});
