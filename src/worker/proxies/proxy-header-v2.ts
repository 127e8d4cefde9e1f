/** The PROXY protocol's binary header (proxy-protocol.txt §2.2): addresses by family, then type-length-value vectors. */
import { SocketAddress } from 'node:net';
import { crc32c } from './crc32c.ts';
import { unixEndpoint } from './told-peer.ts';
import type { Endpoint, HeaderResult } from './told-peer.ts';

const version = 0x20;
const commandLocal = 0;
const commandProxy = 1;

/** Bytes of the address block by family and transport, STREAM alone: datagrams have no place on a connection. */
const addressBytes: ReadonlyMap<number, number> = new Map([
  [0x00, 0], // UNSPEC
  [0x11, 12], // TCP over IPv4
  [0x21, 36], // TCP over IPv6
  [0x31, 216], // unix stream
]);

const typeCrc32c = 0x03;
const typeSsl = 0x20;
/** PP2_CLIENT_SSL of the first byte of PP2_TYPE_SSL */
const clientIsTls = 0x01;

/** `bytes` is the whole header, as long as its length field says; the signature was checked. */
export function parseVersion2(bytes: Buffer, headBytes: number): HeaderResult {
  const command = bytes[12]! - version;
  // The rest of a LOCAL header is to be ignored, family and all.
  if (command === commandLocal) return 'own';
  const family = bytes[13]!;
  const length = addressBytes.get(family);
  if (command !== commandProxy || length === undefined) return 'bad';
  const vectors = headBytes + length;
  const isTls = bytes.length < vectors ? undefined : readVectors(bytes, vectors);
  if (isTls === undefined) return 'bad';
  const block = bytes.subarray(headBytes, vectors);
  switch (family) {
    case 0x11:
      return { remote: endpoint4(block, 0, 8), local: endpoint4(block, 4, 10), isTls };
    case 0x21:
      return { remote: endpoint6(block, 0, 32), local: endpoint6(block, 16, 34), isTls };
    case 0x31:
      return { remote: unixEndpoint, local: unixEndpoint, isTls };
    default:
      return 'own';
  }
}

function endpoint4(block: Buffer, at: number, portAt: number): Endpoint {
  return { address: block.subarray(at, at + 4).join('.'), port: String(block.readUInt16BE(portAt)) };
}

function endpoint6(block: Buffer, at: number, portAt: number): Endpoint {
  const groups = Array.from({ length: 8 }, (_, index) => block.readUInt16BE(at + 2 * index).toString(16));
  // In the spelling of RFC 5952, as sockets show addresses.
  const { address } = new SocketAddress({ address: groups.join(':'), family: 'ipv6' });
  return { address, port: String(block.readUInt16BE(portAt)) };
}

/** Whether the vectors say that the client spoke TLS; undefined when they do not fill the header exactly, or its checksum is wrong. */
function readVectors(bytes: Buffer, from: number): boolean | undefined {
  let isTls = false;
  let at = from;
  while (at < bytes.length) {
    const valueAt = at + 3;
    if (valueAt > bytes.length) return undefined;
    const length = bytes.readUInt16BE(at + 1);
    const end = valueAt + length;
    if (end > bytes.length) return undefined;
    const type = bytes[at];
    if (type === typeCrc32c && (length !== 4 || bytes.readUInt32BE(valueAt) !== crc32c(bytes, valueAt, end))) {
      return undefined;
    }
    if (type === typeSsl && length > 0) isTls = (bytes[valueAt]! & clientIsTls) !== 0;
    at = end;
  }
  return isTls;
}
