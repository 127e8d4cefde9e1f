import { isIPv6 } from 'node:net';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { authorityForm, hostAndPort } from '../../../src/worker/http/grammar.ts';

/** Groups, gaps and IPv4 tails in any order: most are no address, many nearly are. */
const nearlyIpv6 = fc
  .array(
    fc.constantFrom('0', '1', 'ab', 'ffff', '12345', ':', ':', ':', '::', '1.2.3.4', '01.2.3.4', '256.1.1.1', '.', 'g'),
    {
      maxLength: 16,
    },
  )
  .map((parts) => parts.join(''));
const addresses = fc.oneof({ weight: 3, arbitrary: nearlyIpv6 }, { weight: 1, arbitrary: fc.ipV6() });

describe('the grammar of hosts', () => {
  it('takes an address in brackets when it is IPv6, as node:net knows it', () => {
    let taken = 0;
    fc.assert(
      fc.property(addresses, (address) => {
        const expected = isIPv6(address);
        if (expected) taken += 1;
        expect(hostAndPort.test(`[${address}]`), address).to.equal(expected);
        expect(hostAndPort.test(`[${address}]:80`), address).to.equal(expected);
        expect(authorityForm.test(`[${address}]:443`), address).to.equal(expected);
      }),
      { numRuns: 20_000, seed: 3986 },
    );
    expect(taken).to.be.above(1000);
  });

  it('takes an empty port but for CONNECT, and never a name that is empty', () => {
    for (const host of ['a', 'a:', 'a:80', '%41', 'a_b', '127.0.0.1', '[v1.x]'])
      expect(hostAndPort.test(host), host).to.equal(true);
    for (const host of ['', ':', ':80', 'a:123456', 'a b', 'a/', '%4', '[v.x]'])
      expect(hostAndPort.test(host), host).to.equal(false);
    expect(authorityForm.test('a:80')).to.equal(true);
    for (const authority of ['a', 'a:', ':80']) expect(authorityForm.test(authority), authority).to.equal(false);
  });
});
