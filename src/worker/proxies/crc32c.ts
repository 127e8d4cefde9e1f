/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), by which a PROXY header of version 2 may guard itself. */

const polynomial = 0x82f63b78;

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let remainder = index;
  for (let bit = 0; bit < 8; bit += 1) remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
  return remainder;
});

/** The checksum of `bytes`, with zeros in the place of those from `blankFrom` to `blankTo`: where the checksum itself stands. */
export function crc32c(bytes: Uint8Array, blankFrom = 0, blankTo = 0): number {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = at >= blankFrom && at < blankTo ? 0 : bytes[at]!;
    crc = table[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
