import { expect } from 'chai';
import * as fc from 'fast-check';
import { isPeerEntry, PeerList, peerListOf } from '../../../src/shared/options/peer-list.ts';

describe('a list of peers', () => {
  for (const [entries, inside, outside] of [
    [['192.0.2.1'], ['192.0.2.1', '::ffff:192.0.2.1', '::FFFF:C000:0201'], ['192.0.2.2', '::192.0.2.1', 'unix']],
    [['10.0.0.0/8'], ['10.0.0.0', '10.255.255.255', '::ffff:10.1.2.3', '0:0:0:0:0:ffff:a01:203'], ['11.0.0.0']],
    [['2001:db8::/32'], ['2001:db8::1', '2001:DB8:FFFF::'], ['2001:db9::', '10.0.0.1']],
    [['::ffff:10.0.0.0/104'], ['10.1.2.3', '::ffff:10.1.2.3'], ['11.1.2.3', '::a01:203']],
    [['::1'], ['::1', '0:0:0:0:0:0:0:1'], ['127.0.0.1', '::2']],
    [['0.0.0.0/0'], ['1.2.3.4', '::ffff:1.2.3.4'], ['::1', 'unix', 'unknown', '']],
    [['::/0'], ['::1', '2001:db8::1'], ['1.2.3.4', '::ffff:1.2.3.4', 'unix']],
    [['unix'], ['unix'], ['127.0.0.1', '::1', 'unknown']],
    [['loopback'], ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'], ['128.0.0.1', '::2', 'unix']],
    [
      ['private'],
      ['10.1.1.1', '172.16.0.1', '172.31.255.255', '192.168.9.9', '169.254.1.1', 'fd00::1', 'fe80::1%eth0'],
      ['172.32.0.1', '172.15.0.1', '192.169.0.1', '127.0.0.1', '::1', '2001:db8::1', '100.64.0.1'],
    ],
    [['unix', 'loopback', '192.0.2.0/24'], ['unix', '127.0.0.1', '192.0.2.77'], ['192.0.3.1']],
  ] as Array<[string[], string[], string[]]>) {
    it(`of ${entries.join(', ')} names these alone`, () => {
      const list = new PeerList(entries);
      for (const address of inside) expect(list.includes(address), address).to.equal(true);
      for (const address of outside) expect(list.includes(address), address).to.equal(false);
    });
  }

  it('that is empty is none', () => {
    expect(peerListOf([])).to.equal(undefined);
    expect(peerListOf(['unix'])).to.be.instanceOf(PeerList);
  });

  it('takes addresses, networks and its words, and nothing else', () => {
    const good = ['10.0.0.1', '10.0.0.1/32', '0.0.0.0/0', '::1', '::/0', 'fe80::/10', 'unix', 'loopback', 'private'];
    for (const entry of good) expect(isPeerEntry(entry), entry).to.equal(true);
    const addresses = ['', '*', 'all', '10.0.0', '10.0.0.256', '010.0.0.1', '10.0.0.1:80', '[::1]', 'fe80::1%eth0'];
    const prefixes = ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/08', '10.0.0.0/-1', '::/129', '10.0.0.0/8/8', '/8'];
    const words = ['localhost', 'UNIX', 'constructor', 'unix/8', 'example.com', ' 10.0.0.1'];
    for (const entry of [...addresses, ...prefixes, ...words]) expect(isPeerEntry(entry), entry).to.equal(false);
  });

  it('never throws, whatever it is asked', () => {
    const list = new PeerList(['private', 'loopback', '2001:db8::/32']);
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.ipV4(), fc.ipV6()), (text) => {
        list.includes(text);
        isPeerEntry(text);
      }),
    );
  });
});
