/** What has to hold for any bytes, cut anywhere. Each property takes its own kinds of input and says what is wrong. */
import * as fc from 'fast-check';
import { isDeepStrictEqual } from 'node:util';
import { errorTable } from '../../src/shared/errors.ts';
import { RequestParser, type RequestLimits } from '../../src/worker/http/request-parser.ts';
import { read } from '../worker/helpers/parse.ts';
import { differencesOf } from './compare.ts';
import { rowOf } from './differences.ts';
import { anyBytes, cutAt, longRequests, nearCorpus, nearRequests } from './generators.ts';
import { parseByNode } from './node-http.ts';
import { parseByReference } from './reference.ts';
import { serveAndCheck } from './served.ts';

export interface FuzzProperty {
  readonly name: string;
  readonly bytes: fc.Arbitrary<Buffer>;
  /** what is wrong; undefined when nothing is */
  readonly check: (bytes: Buffer, cuts: readonly number[]) => string | undefined | Promise<string | undefined>;
}

const oneByOne = (bytes: Buffer): Buffer[] => Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));

/** The whole head takes the short way through the parser, the cut one the long way: both are to say the same. */
function sameWhateverTheCuts(
  bytes: Buffer,
  cuts: readonly number[],
  limits: Partial<RequestLimits> = {},
): string | undefined {
  const whole = read([bytes], limits);
  for (const pieces of [cutAt(bytes, cuts), oneByOne(bytes)]) {
    const parsed = read(pieces, limits);
    if (!isDeepStrictEqual(parsed, whole)) {
      return `in ${pieces.length} pieces ${JSON.stringify(parsed)}, whole ${JSON.stringify(whole)}`;
    }
  }
  const code = whole.parsed.refused ?? whole.parsed.unfinished;
  if (code !== undefined && errorTable[code].status === undefined) return `${code} has no status`;
  return undefined;
}

const smallLimits: RequestLimits = { urlLengthLimit: 64, maxHeadBytes: 256, maxHeaders: 8, maxBodyBytes: 64 };
/** Empty lines, the request line, the header block and what ends it; a chunk line or trailers are less. */
const mostHeldBytes = 2 * 9 + smallLimits.urlLengthLimit + 2 + smallLimits.maxHeadBytes + 4;
const mostChunkLineBytes = 1024;

/** No more bytes go in without an event than the limits allow: that is all that the parser ever holds. */
function holdsNoMoreThanItsLimits(bytes: Buffer): string | undefined {
  const parser = new RequestParser(smallLimits);
  let held = 0;
  for (const byte of oneByOne(bytes)) {
    parser.push(byte);
    held += 1;
    for (let event = parser.next(); event !== 'need-data'; event = parser.next()) {
      if (event === 'refused') return undefined;
      held = 0;
    }
    const most = parser.bodyBytesLeft === 0 ? mostHeldBytes : mostHeldBytes + mostChunkLineBytes;
    if (held > most || parser.buffered > 0) return `${held} bytes went in without an event`;
  }
  return undefined;
}

function agreesWithNode(bytes: Buffer): string | undefined {
  const differences = differencesOf(bytes, read([bytes]), parseByNode(bytes));
  const finding = differences.find((difference) => rowOf(difference) === undefined);
  if (finding === undefined) return undefined;
  const { kind, code, request } = finding;
  return `no row for '${kind}' (${code ?? 'no code'}) of ${JSON.stringify(request)}`;
}

/** Nothing more is accepted than the RFC allows, nothing less, and nothing else is made of it. */
function agreesWithReference(bytes: Buffer): string | undefined {
  const { parsed, isWhole } = read([bytes]);
  const whole = isWhole ? parsed.requests : parsed.requests.slice(0, -1);
  const ours = whole.map(({ method, target, fields, keepAlive, body = '', trailers = [] }) => {
    return { method, target, fields, keepAlive, body, trailers };
  });
  const theirs = parseByReference(bytes.toString('latin1'));
  if (isDeepStrictEqual(ours, theirs)) return undefined;
  const code = parsed.refused ?? parsed.unfinished ?? 'no code';
  return `${JSON.stringify(ours)} (${code}), by the reference ${JSON.stringify(theirs)}`;
}

const nearly = fc.oneof(nearRequests, nearCorpus);

export const fuzzProperties: readonly FuzzProperty[] = [
  {
    name: 'node',
    bytes: nearly,
    check: agreesWithNode,
  },
  {
    name: 'reference',
    bytes: nearly,
    check: agreesWithReference,
  },
  {
    name: 'cuts',
    bytes: fc.oneof({ weight: 4, arbitrary: nearly }, { weight: 1, arbitrary: anyBytes }),
    check: (bytes, cuts) => sameWhateverTheCuts(bytes, cuts),
  },
  {
    name: 'limits',
    bytes: fc.oneof({ weight: 3, arbitrary: longRequests }, { weight: 1, arbitrary: nearly }),
    check: (bytes, cuts) => sameWhateverTheCuts(bytes, cuts, smallLimits) ?? holdsNoMoreThanItsLimits(bytes),
  },
  {
    name: 'server',
    bytes: fc.oneof({ weight: 4, arbitrary: nearly }, { weight: 1, arbitrary: anyBytes }),
    check: async (bytes, cuts) => serveAndCheck(cutAt(bytes, cuts)),
  },
];
