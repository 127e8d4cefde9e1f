/**
 * The worker's loop on connections in memory, with an application that sends each body back. What it has to answer
 * follows from the parser alone: one answer a request, in order, each its own, and a refusal at most, at the end.
 */
import { STATUS_CODES } from 'node:http';
import type { App } from '../../src/shared/application.ts';
import { errorTable } from '../../src/shared/errors.ts';
import { silentLogger } from '../../src/shared/log/log.ts';
import { resolveServerInput } from '../../src/shared/options/input.ts';
import { wsgiHandler } from '../../src/worker/interfaces/wsgi.ts';
import { Service } from '../../src/worker/loop/service.ts';
import { ResponseReader } from '../helpers/response-reader.ts';
import { read } from '../worker/helpers/parse.ts';
import { exchange, SharedClient, StreamClient } from './memory-client.ts';

interface Answer {
  status: number;
  /** latin1 */
  body: string;
}

/** Not for a connection without TLS. */
const namesTls = (target: string): boolean => /^https:/i.test(target);
/** A 2xx to CONNECT would be the beginning of a tunnel. */
const statusOf = (method: string): number => (method === 'CONNECT' ? 501 : 200);

/** How the body is given: the answers take different times. */
const manner = (target: string) => (['whole', 'pieces', 'slow pieces'] as const)[target.length % 3]!;

/** Sends back method, target and body. */
const app: App = async (env, startResponse) => {
  const body = await env['wsgi.input'].read();
  const chunks = [`${env.REQUEST_METHOD} ${env.RAW_URI}\n`, body];
  const status = statusOf(env.REQUEST_METHOD);
  startResponse(`${status} ${STATUS_CODES[status]}`, [['Content-Type', 'application/octet-stream']]);
  if (manner(env.RAW_URI) === 'whole') return chunks;
  if (manner(env.RAW_URI) === 'pieces') return new Set(chunks);
  return (async function* () {
    for (const chunk of chunks) {
      await new Promise(setImmediate);
      yield chunk;
    }
  })();
};

const refusal = (status: number): Answer => ({ status, body: `${status} ${STATUS_CODES[status]}\n` });

/** What has to come back, and for which methods. */
function expectedAnswers(pieces: readonly Buffer[]): { answers: Answer[]; methods: string[] } {
  const { parsed, isWhole, method: lastMethod } = read(pieces);
  const answers: Answer[] = [];
  const methods: string[] = [];
  const code = parsed.refused ?? parsed.unfinished;
  for (const [index, { method, target, version, body = '', keepAlive }] of parsed.requests.entries()) {
    methods.push(method);
    if (!namesTls(target) && !isWhole && index === parsed.requests.length - 1) {
      const { status = 500 } = errorTable[code!];
      // The application learns what is wrong with its body, and answers by way of it.
      answers.push({ status, body: method === 'HEAD' ? '' : refusal(status).body });
      return { answers, methods };
    }
    if (namesTls(target)) {
      answers.push({ ...refusal(421), ...(method === 'HEAD' ? { body: '' } : {}) });
      return { answers, methods };
    }
    answers.push({ status: statusOf(method), body: method === 'HEAD' ? '' : `${method} ${target}\n${body}` });
    // A length that is not known ends with the connection in HTTP/1.0.
    if (!keepAlive || (version === 'HTTP/1.0' && manner(target) !== 'whole')) return { answers, methods };
  }
  if (code !== undefined) {
    const { status, body } = refusal(errorTable[code].status ?? 500);
    methods.push(lastMethod);
    answers.push({ status, body: lastMethod === 'HEAD' ? '' : body });
  }
  return { answers, methods };
}

const service = new Service({
  settings: resolveServerInput({}),
  handler: wsgiHandler(app),
  log: silentLogger,
  accessLog: undefined,
  multiprocess: false,
});

/** What is wrong with what was answered; undefined when nothing is. */
export async function serveAndCheck(pieces: readonly Buffer[]): Promise<string | undefined> {
  const { answers, methods } = expectedAnswers(pieces);
  const largest = Math.max(1, ...pieces.map((piece) => piece.length));
  const client = pieces.length % 2 === 0 ? new StreamClient() : new SharedClient(largest);
  service.accept(client.transport, { scheme: 'http' });
  if (!(await exchange(client, pieces))) return 'the server does not end the connection';
  const reader = new ResponseReader();
  reader.expect(...methods);
  reader.push(client.received);
  reader.end();
  const got = reader.responses.map(({ status, body }) => ({ status, body: body.toString('latin1') }));
  if (JSON.stringify(got) !== JSON.stringify(answers)) {
    return `answers ${JSON.stringify(got)} instead of ${JSON.stringify(answers)}`;
  }
  return reader.isBetween ? undefined : `bytes of no answer: ${JSON.stringify(reader.rest.toString('latin1'))}`;
}

export async function stopServing(): Promise<void> {
  await service.stop();
}
