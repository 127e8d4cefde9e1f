/**
 * The PROXY protocol's header, version 1 (a line of text) and 2 (binary), as HAProxy's proxy-protocol.txt has it. Bytes in,
 * one word out, the same whatever the cuts; what follows the header is in `rest`.
 *
 * Strict: what the specification does not allow is 'bad'. A sender that is not understood must not pass for its client.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { parseVersion2 } from './proxy-header-v2.ts';
import type { HeaderResult } from './told-peer.ts';

const signature1 = Buffer.from('PROXY ', 'latin1');
const signature2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
/** §2.1: the longest line, with its CRLF */
const maxVersion1Bytes = 107;
const version2HeadBytes = 16;
/** Certificates may come as TLVs. The length field goes up to 64 KiB, which nobody needs. */
const maxVersion2Bytes = 16_384;

const nothing = Buffer.alloc(0);

export class ProxyHeaderDecoder {
  #held: Buffer[] = [];
  #length = 0;
  /** with less there is no use in looking */
  #wanted = 1;
  #result: HeaderResult = 'bad';
  #rest: Buffer = nothing;

  /** No byte has come. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }
  /** of the event 'done' */
  get result(): Exclude<HeaderResult, 'bad'> {
    return this.#result as Exclude<HeaderResult, 'bad'>;
  }
  /** the bytes behind the header; part of what was pushed last, not a copy */
  get rest(): Buffer {
    return this.#rest;
  }

  /** Call it until it says something else than 'more'. What must be kept of `bytes` is copied. */
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
    this.#result = header[0] === signature1[0] ? parseVersion1(header) : parseVersion2(header, version2HeadBytes);
    this.#rest = last.subarray(last.length - (all.length - size));
    return this.#result === 'bad' ? 'bad' : 'done';
  }
}

/** How long the header is that `bytes` begin; as long as that is not known, one byte more than there are. */
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
  // What follows UNKNOWN is to be ignored.
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
