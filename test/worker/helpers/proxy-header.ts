/** PROXY protocol headers of version 2, as senders make them. */
import { crc32c } from '../../../src/worker/proxies/proxy-header.ts';

export type Vector = readonly [type: number, value: Uint8Array];

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

export interface Version2 {
  /** version and command: 0x21 is PROXY of version 2, 0x20 LOCAL */
  command?: number;
  /** 0x11 is TCP over IPv4 */
  family?: number;
  block?: Uint8Array;
  vectors?: readonly Vector[];
  /** bytes behind the vectors */
  more?: Uint8Array;
}

/** TCP over IPv4, from 192.0.2.1:5000 to 198.51.100.2:443. */
export const block4 = Buffer.from([192, 0, 2, 1, 198, 51, 100, 2, 0x13, 0x88, 0x01, 0xbb]);
/** TCP over IPv6, from [2001:db8::1]:5000 to [2001:db8::2:0:0:1]:443. */
export const block6 = Buffer.from('20010db800000000000000000000000120010db8000000000002000000000001138801bb', 'hex');
/** The client's side of TLS: it was used, and verified nothing. */
export const tlsVector: Vector = [0x20, Buffer.from([1, 0, 0, 0, 0])];

export function version2({ command = 0x21, family = 0x11, block = block4, vectors = [], more }: Version2 = {}): Buffer {
  const parts = vectors.map(([type, value]) =>
    Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]),
  );
  const rest = Buffer.concat([block, ...parts, more ?? Buffer.alloc(0)]);
  return Buffer.concat([signature, Buffer.from([command, family, rest.length >> 8, rest.length & 255]), rest]);
}

/** The same with its checksum as first vector. */
export function withChecksum(header: Version2): Buffer {
  const bytes = version2({ ...header, vectors: [[0x03, Buffer.alloc(4)], ...(header.vectors ?? [])] });
  const at = 16 + (header.block ?? block4).length + 3;
  bytes.writeUInt32BE(crc32c(bytes), at);
  return bytes;
}
