/**
 * Whatever is pipelined, and however its application answers: each request has one answer, whole, its own, in its place.
 * Pipelines of any kinds of requests, cut anywhere, on both interfaces of the loop.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import * as fc from 'fast-check';
import type { App, Body, FetchApp } from '../../src/shared/application.ts';
import { fetchHandler } from '../../src/worker/interfaces/fetch.ts';
import { wsgiHandler } from '../../src/worker/interfaces/wsgi.ts';
import { Service } from '../../src/worker/loop/service.ts';
import type { Handler } from '../../src/worker/loop/exchange.ts';
import { header } from '../helpers/response-reader.ts';
import { bytesOf } from '../worker/helpers/parse.ts';
import { withService } from '../worker/helpers/with-service.ts';

/** How the application answers; 'short' and 'throws late' end the connection, as the client could not tell the end otherwise. */
const manners = ['whole', 'async', 'pieces', 'slow pieces', 'no content', 'not modified', 'throws', 'long'] as const;
const endings = ['short', 'throws late'] as const;
type Manner = (typeof manners)[number] | (typeof endings)[number];

interface Planned {
  method: string;
  manner: Manner;
  /** bytes of the answer's body */
  size: number;
  /** of the request's body; undefined for none */
  body: string | undefined;
  framing: 'length' | 'chunked';
  reads: boolean;
}

const planned: fc.Arbitrary<Planned> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'POST', 'HEAD', 'PUT', 'BREW'),
  manner: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom<Manner>(...manners) },
    { weight: 1, arbitrary: fc.constantFrom<Manner>(...endings) },
  ),
  size: fc.oneof(
    { weight: 5, arbitrary: fc.nat(300) },
    { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 140_000 }) },
  ),
  body: fc.option(fc.stringMatching(/^[a-z\r\n]{0,40}$/), { nil: undefined }),
  framing: fc.constantFrom('length', 'chunked'),
  reads: fc.boolean(),
});

function requestText({ method, manner, size, body, framing, reads }: Planned, index: number): string {
  const target = `/${index}/${manner.replaceAll(' ', '-')}/${size}/${reads ? 'read' : 'unread'}`;
  const line = `${method} ${target} HTTP/1.1\r\nHost: test\r\n`;
  if (body === undefined) return `${line}\r\n`;
  if (framing === 'length') return `${line}Content-Length: ${body.length}\r\n\r\n${body}`;
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  return `${line}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n`;
}

/** A body that names its request from its first byte to its last. */
const content = (index: string, size: number): string => `${index}.`.repeat(size).slice(0, size);

interface Answering {
  status: number;
  length: number | undefined;
  pieces: string[];
  isSlow: boolean;
  throwsAfter: boolean;
}

/** What the application does about a request, in words that both interfaces can follow. */
function plan(target: string): Answering & { reads: boolean; isAsync: boolean } {
  const [, index = '', word = '', size = '', read] = target.split('/');
  const manner = word.replaceAll('-', ' ') as Manner;
  const text = content(index, Number(size));
  const half = Math.ceil(text.length / 2);
  const inPieces = ['pieces', 'slow pieces', 'throws late', 'short', 'long'].includes(manner);
  return {
    status: manner === 'no content' ? 204 : manner === 'not modified' ? 304 : 200,
    length: manner === 'short' ? text.length + 1 : manner === 'long' ? text.length : undefined,
    pieces: inPieces ? [text.slice(0, half), text.slice(half), ...(manner === 'long' ? ['surplus'] : [])] : [text],
    isSlow: manner === 'slow pieces',
    throwsAfter: manner === 'throws late',
    isAsync: manner === 'async',
    reads: read === 'read',
  };
}

async function* piecesOf({ pieces, isSlow, throwsAfter }: Answering): AsyncGenerator<string> {
  for (const piece of pieces) {
    if (isSlow) await nextTurn();
    yield piece;
  }
  if (throwsAfter) throw new Error('late');
}

const wsgiApp: App = (env, startResponse) => {
  const answer = plan(env.RAW_PATH_INFO);
  if (env.RAW_PATH_INFO.includes('/throws/')) throw new Error('at once');
  const start = (): Body => {
    const length: [string, string][] = answer.length === undefined ? [] : [['Content-Length', String(answer.length)]];
    startResponse(`${answer.status} `, [['X-Of', env.RAW_PATH_INFO], ...length]);
    return answer.pieces.length > 1 ? piecesOf(answer) : answer.pieces;
  };
  if (answer.reads) return env['wsgi.input'].read().then(start);
  return answer.isAsync ? nextTurn().then(start) : start();
};

const fetchApp: FetchApp = {
  fetch: async (request, { env }) => {
    const answer = plan(env.RAW_PATH_INFO);
    if (env.RAW_PATH_INFO.includes('/throws/')) throw new Error('at once');
    if (answer.reads) await request.text();
    const length: Record<string, string> =
      answer.length === undefined ? {} : { 'Content-Length': String(answer.length) };
    const isEmpty = answer.status !== 200;
    const body = answer.pieces.length > 1 ? ReadableStream.from(encoded(piecesOf(answer))) : answer.pieces[0]!;
    return new Response(isEmpty ? null : body, {
      status: answer.status,
      headers: { 'X-Of': env.RAW_PATH_INFO, ...length },
    });
  },
};
async function* encoded(pieces: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const piece of pieces) yield Buffer.from(piece);
}

/** The application's own body of a request, as the client has to see it. */
function expected({ method, manner, size }: Planned, index: number): { status: number; body: string } {
  const status = manner === 'no content' ? 204 : manner === 'not modified' ? 304 : manner === 'throws' ? 500 : 200;
  const text = manner === 'throws' ? 'Internal Server Error\n' : content(String(index), size);
  return { status, body: status === 204 || status === 304 || method === 'HEAD' ? '' : text };
}

/** A HEAD has no body to be short of; a late throw of one may come after its end. */
const isCut = ({ method, manner }: Planned): boolean =>
  method !== 'HEAD' && (endings as readonly string[]).includes(manner);

for (const [kind, handler] of [
  ['wsgi', wsgiHandler(wsgiApp)],
  ['fetch', fetchHandler(fetchApp)],
] as Array<[string, Handler]>) {
  describe(`pipelined requests to a ${kind} application`, () => {
    it(
      'have each its own answer, whole and in its place',
      withService(
        (parts) => new Service({ ...parts, handler }),
        {},
        async ({ connect }) => {
          const pipelines = fc.tuple(
            fc.array(planned, { minLength: 1, maxLength: 8 }),
            fc.array(fc.nat(2000), { maxLength: 4 }),
          );
          await fc.assert(
            fc.asyncProperty(pipelines, async ([requests, positions]) => {
              const client = await connect();
              const bytes = bytesOf(requests.map(requestText).join(''));
              client.reader.expect(...requests.map(({ method }) => method));
              const ends = [...positions.map((at) => at % bytes.length), bytes.length].toSorted((a, b) => a - b);
              let from = 0;
              for (const to of ends) {
                client.socket.write(bytes.subarray(from, to));
                from = to;
                await nextTurn();
              }
              client.halfClose();
              const last = requests.findIndex(isCut);
              const whole = last < 0 ? requests : requests.slice(0, last);
              const responses = await client.responses(whole.length);
              await client.closed();
              expect(client.reader.responses).to.have.lengthOf(whole.length);
              for (const [index, request] of whole.entries()) {
                const { status, body } = expected(request, index);
                const response = responses[index]!;
                expect([response.status, response.body.toString('latin1')]).to.deep.equal([status, body]);
                if (status !== 500)
                  expect(header(response, 'x-of')).to.equal(requestText(request, index).split(' ')[1]);
              }
              client.close();
            }),
            { numRuns: 300, seed: 9112 },
          );
        },
      ),
    );
  });
}
