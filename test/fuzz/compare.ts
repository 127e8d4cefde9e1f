/**
 * Where evy and node:http differ about the same bytes. The one that matters most is 'accepts': what node refuses, or has
 * not seen the end of, went to the application of evy. Every difference has to be a row of differences.ts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { ParsedRequest, Reading } from '../worker/helpers/parse.ts';
import type { NodeOutcome, NodeRequest } from './node-http.ts';

export interface Difference {
  /** evy takes what node does not; evy refuses what node takes; both take it, and this part of it is not the same */
  kind:
    | 'accepts'
    | 'refuses'
    | 'method'
    | 'target'
    | 'version'
    | 'fields'
    | 'keepAlive'
    | 'body'
    | 'trailers'
    | 'waits';
  /** code of whoever refuses, when somebody does */
  code: string | undefined;
  /** whose head it is about; of evy when it has one */
  request: ParsedRequest | NodeRequest | undefined;
  /** the request before it on the connection */
  before: ParsedRequest | undefined;
  /** the bytes, one character each */
  text: string;
}

const heads = ['method', 'target', 'version', 'fields', 'keepAlive'] as const;

/** All differences up to the point where either of the two would read no further. */
export function differencesOf(bytes: Buffer, ours: Reading, node: NodeOutcome): Difference[] {
  const { requests, refused } = ours.parsed;
  const text = bytes.toString('latin1');
  const found: Difference[] = [];
  for (let index = 0; ; index += 1) {
    const mine = requests[index];
    const theirs = node.requests[index];
    const note = (kind: Difference['kind'], code?: string) =>
      found.push({ kind, code, request: mine ?? theirs, before: requests[index - 1], text });
    if (theirs === undefined) {
      if (mine !== undefined) note('accepts', node.refused);
      return found;
    }
    if (mine === undefined) {
      note(refused === undefined ? 'waits' : 'refuses', refused);
      return found;
    }
    const isTunnel = mine.method === 'CONNECT';
    for (const part of heads) {
      if (!(isTunnel && part === 'keepAlive') && !isDeepStrictEqual(mine[part], theirs[part])) note(part);
    }
    if (isTunnel) return found;
    const isWhole = ours.isWhole || index + 1 < requests.length;
    if (isWhole && theirs.whole) {
      if ((mine.body ?? '') !== theirs.body) note('body');
      if (!isDeepStrictEqual(mine.trailers ?? [], theirs.trailers)) note('trailers');
    } else if (isWhole) note('accepts', node.refused);
    else if (theirs.whole) note(refused === undefined ? 'waits' : 'refuses', refused);
    if (!isWhole || !theirs.whole || !mine.keepAlive || !theirs.keepAlive) return found;
  }
}
