import { expect } from 'chai';
import { crc32c } from '../../../src/worker/proxies/proxy-header.ts';

describe('CRC-32C', () => {
  it('is that of RFC 3720 appendix B.4', () => {
    expect(crc32c(Buffer.alloc(32))).to.equal(0x8a9136aa);
    expect(crc32c(Buffer.alloc(32, 0xff))).to.equal(0x62a8ab43);
    expect(crc32c(Buffer.from(Array.from({ length: 32 }, (_, index) => index)))).to.equal(0x46dd794e);
    expect(crc32c(Buffer.from('123456789'))).to.equal(0xe3069283);
  });

  it('takes the bytes of its own place for zeros', () => {
    const bytes = Buffer.from('123456789');
    expect(crc32c(bytes, 3, 5)).to.equal(crc32c(Buffer.from('123\0\x006789')));
  });
});
