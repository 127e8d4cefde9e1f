/**
 * Decodes the header of the PROXY protocol, version 1 (a line of text) and 2 (binary), as specified in HAProxy's
 * proxy-protocol.txt. The result is the same however the bytes are cut; bytes behind the header are in `rest`.
 *
 * It is strict: anything that the specification does not allow is 'bad', so that a proxy is never mistaken for its
 * client.
 */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { unixPeer } from '../../shared/options/peer-list.ts';
import type { Endpoint, ToldPeer } from '../transport/peer.ts';

/** 'own': valid, but the connection's own addresses apply: a health check (LOCAL), or unknown addresses (UNKNOWN). */
export type HeaderResult = ToldPeer | 'own' | 'bad';

const unixEndpoint: Endpoint = { address: unixPeer, port: '' };

const signature1 = Buffer.from('PROXY ', 'latin1');
const signature2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** §2.1: the longest line, with its CRLF */
const maxVersion1Bytes = 107;
const version2HeadBytes = 16;
/** Certificates may be sent as TLVs. The length field allows 64 KiB, which is never needed. */
const maxVersion2Bytes = 16_384;

const nothing = Buffer.alloc(0);

export class ProxyHeaderDecoder {
  #held: Buffer[] = [];
  #length = 0;
  /** The least bytes that the whole header can have. */
  #wanted = 1;
  #result: HeaderResult = 'bad';
  #rest: Buffer = nothing;

  /** Whether no byte has arrived. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }
  /** of the event 'done' */
  get result(): Exclude<HeaderResult, 'bad'> {
    return this.#result as Exclude<HeaderResult, 'bad'>;
  }
  /** the bytes behind the header: a part of the last pushed bytes, not a copy */
  get rest(): Buffer {
    return this.#rest;
  }

  /** To be called until it returns something other than 'more'. Bytes that are kept are copied. */
  push(bytes: Buffer): 'more' | 'done' | 'bad' {
    this.#length += bytes.length;
    if (this.#length >= this.#wanted) {
      const all = this.#held.length === 0 ? bytes : Buffer.concat([...this.#held, bytes]);
      const size = headerSize(all);
      if (size === 'bad') return 'bad';
      if (size <= all.length) return this.#finish(all, size, bytes);
      this.#wanted = size;
    }
    this.#held.push(Buffer.from(bytes));
    return 'more';
  }

  #finish(all: Buffer, size: number, last: Buffer): 'done' | 'bad' {
    const header = all.subarray(0, size);
    this.#held = [];
    this.#result = header[0] === signature1[0] ? parseVersion1(header) : parseVersion2(header);
    this.#rest = last.subarray(last.length - (all.length - size));
    return this.#result === 'bad' ? 'bad' : 'done';
  }
}

/** Returns the size of the header that `bytes` begin with; if it is not known yet, one byte more than there are. */
function headerSize(bytes: Buffer): number | 'bad' {
  if (startsLike(bytes, signature1)) return lineSize(bytes);
  if (!startsLike(bytes, signature2)) return 'bad';
  if (bytes.length < version2HeadBytes) return version2HeadBytes;
  const size = version2HeadBytes + bytes.readUInt16BE(14);
  return size > maxVersion2Bytes ? 'bad' : size;
}

function startsLike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}

function lineSize(bytes: Buffer): number | 'bad' {
  const line = bytes.subarray(0, maxVersion1Bytes);
  const end = line.indexOf('\n');
  if (end >= 0) return end + 1;
  return line.length === maxVersion1Bytes ? 'bad' : line.length + 1;
}

/** §2.1: `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443`, single blanks, and CRLF. */
function parseVersion1(bytes: Buffer): HeaderResult {
  const line = bytes.toString('latin1');
  // Anything behind UNKNOWN must be ignored.
  if (/^PROXY UNKNOWN(?: [ -~]*)?\r\n$/.test(line)) return 'own';
  const match = /^PROXY TCP([46]) ([0-9A-Fa-f:.]+) ([0-9A-Fa-f:.]+) (\d+) (\d+)\r\n$/.exec(line);
  if (match === null) return 'bad';
  const [, family, source, destination, sourcePort, destinationPort] = match as unknown as string[];
  const isAddress = family === '4' ? isIPv4 : isIPv6;
  if (!isAddress(source!) || !isAddress(destination!)) return 'bad';
  if (!isPort(sourcePort!) || !isPort(destinationPort!)) return 'bad';
  return {
    remote: { address: source!, port: sourcePort! },
    local: { address: destination!, port: destinationPort! },
    isTls: false,
  };
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

// ---- version 2 (§2.2): addresses by family, then type-length-value vectors

const version2 = 0x20;
const commandLocal = 0;
const commandProxy = 1;

/** Bytes of the address block by family and transport. Only STREAM is allowed, since a datagram is not a connection. */
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

/** `bytes` is the whole header by its length field, and its signature has been checked. */
function parseVersion2(bytes: Buffer): HeaderResult {
  const command = bytes[12]! - version2;
  // The rest of a LOCAL header must be ignored, including the family.
  if (command === commandLocal) return 'own';
  const family = bytes[13]!;
  const length = addressBytes.get(family);
  if (command !== commandProxy || length === undefined) return 'bad';
  const vectors = version2HeadBytes + length;
  const isTls = bytes.length < vectors ? undefined : readVectors(bytes, vectors);
  if (isTls === undefined) return 'bad';
  const block = bytes.subarray(version2HeadBytes, vectors);
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
  // The spelling of RFC 5952, which sockets use too.
  const { address } = new SocketAddress({ address: groups.join(':'), family: 'ipv6' });
  return { address, port: String(block.readUInt16BE(portAt)) };
}

/**
 * Returns whether the vectors say that the client used TLS; undefined when they do not fill the header exactly, or its
 * checksum is wrong.
 */
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

/** CRC-32C (Castagnoli, RFC 3720 appendix B.4), the optional checksum of a header. */
const polynomial = 0x82f63b78;

const crcTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let remainder = index;
  for (let bit = 0; bit < 8; bit += 1) remainder = remainder & 1 ? (remainder >>> 1) ^ polynomial : remainder >>> 1;
  return remainder;
});

/**
 * The checksum of `bytes`, with the bytes from `blankFrom` to `blankTo`, where the checksum itself is, counted as
 * zeros.
 */
export function crc32c(bytes: Uint8Array, blankFrom = 0, blankTo = 0): number {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = at >= blankFrom && at < blankTo ? 0 : bytes[at]!;
    crc = crcTable[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
