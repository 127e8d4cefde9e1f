/** Requests out of bytes that come in any pieces: what a parser makes of them, in a form that tests can compare. */
import type { ErrorCode } from '../../../src/shared/errors.ts';
import { RequestParser, type RequestLimits } from '../../../src/worker/http/request-parser.ts';

export interface ParsedRequest {
  method: string;
  target: string;
  version: string;
  path: string;
  query: string;
  authority?: string;
  fields: [string, string][];
  keepAlive: boolean;
  expectsContinue?: true;
  /** latin-1; there is one as soon as the head announces a body */
  body?: string;
  trailers?: [string, string][];
}

export interface Parsed {
  requests: ParsedRequest[];
  refused?: ErrorCode;
  /** what the end of the input means here, when it is not between requests */
  unfinished?: ErrorCode;
}

export const defaultLimits: RequestLimits = {
  urlLengthLimit: 8192,
  maxHeadBytes: 65_536,
  maxHeaders: 100,
  maxBodyBytes: 0,
};

function describeHead({ line, block }: RequestParser): ParsedRequest {
  const { framing, fields } = block;
  const { method, target, version, path, query, authority } = line;
  const { keepAlive, expectsContinue, body } = framing;
  return {
    method,
    target,
    version,
    path,
    query,
    ...(authority === undefined ? {} : { authority }),
    fields: fields.map(([name, value]) => [name, value]),
    keepAlive,
    ...(expectsContinue ? { expectsContinue } : {}),
    ...(body === 'none' ? {} : { body: '' }),
  };
}

export interface Reading {
  parsed: Parsed;
  /** the last request is there to the end of its body */
  isWhole: boolean;
  /** of the last request, or of the refused one if its line was understood; '' otherwise */
  method: string;
}

/** The outcome of one parser that gets these pieces one after the other. */
export function read(pieces: Iterable<Buffer>, limits: Partial<RequestLimits> = {}): Reading {
  const parser = new RequestParser({ ...defaultLimits, ...limits });
  const parsed: Parsed = { requests: [] };
  let isWhole = true;
  for (const piece of pieces) {
    // A copy, as a socket's buffer is one: a view must not be relied upon to stay.
    parser.push(Buffer.from(piece));
    for (let event = parser.next(); event !== 'need-data'; event = parser.next()) {
      const request = parsed.requests.at(-1)!;
      if (event === 'head') {
        parsed.requests.push(describeHead(parser));
        isWhole = parser.block.framing.body === 'none';
      } else if (event === 'data') request.body += parser.data.toString('latin1');
      else if (event === 'refused')
        return { parsed: { ...parsed, refused: parser.fault }, isWhole, method: parser.line.method };
      else {
        isWhole = true;
        if (parser.trailers !== undefined) request.trailers = parser.trailers;
      }
    }
  }
  const unfinished = parser.finish();
  return { parsed: unfinished === undefined ? parsed : { ...parsed, unfinished }, isWhole, method: parser.line.method };
}

/** The outcome alone. */
export function parse(pieces: Iterable<Buffer>, limits: Partial<RequestLimits> = {}): Parsed {
  return read(pieces, limits).parsed;
}

/** Whole, byte by byte, and at every split into two. */
export function* cuts(bytes: Buffer): Generator<Buffer[]> {
  yield [bytes];
  yield Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
  for (let at = 1; at < bytes.length; at += 1) yield [bytes.subarray(0, at), bytes.subarray(at)];
}

export const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
