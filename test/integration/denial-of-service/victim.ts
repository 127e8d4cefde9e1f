/**
 * A server under attack: the built command with one worker, whose application tells what it holds. What counts in each
 * of these tests: the worker holds no more than before, but for a bound, and others are served meanwhile.
 */
import { expect } from 'chai';
import { connect, type RawClient, type Target } from '../../helpers/raw-client.ts';
import { text } from '../../helpers/response-reader.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { application, serve } from '../command/serving.ts';

const withinMs = 15_000;
const mebibyte = 2 ** 20;

export const get = (path = '/', headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
export const chunked = (path: string): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n`;

export interface Victim {
  readonly port: number;
  attacker(): Promise<RawClient>;
  attackers(count: number): Promise<RawClient[]>;
  /** Another client is served, on a connection of its own. */
  servesOthers(): Promise<void>;
  /** The worker comes down to at most so much more than it held when it began. */
  holdsAtMost(mebibytes: number): Promise<void>;
}

async function answerOf(target: Target, path: string): Promise<string> {
  const client = await connect(target);
  const answer = text(await client.request(get(path, 'Connection: close\r\n')));
  client.close();
  return answer;
}

export async function victim(options: readonly string[] = [], tls: readonly string[] = []): Promise<Victim> {
  const bind = tls.length > 0 ? tls : ['--port', '0'];
  const evy = await serve([application('tells-its-memory'), ...bind, '--workers', '1', ...options], {
    nodeArgs: ['--expose-gc'],
  });
  const target: Target = { port: evy.port, tls: tls.length > 0, withinMs };
  const memory = async () => Number(await answerOf(target, '/memory'));
  const attacker = () => connect(target);
  await memory(); // what the first request loads is not held for anybody
  const before = await memory();
  return {
    port: evy.port,
    attacker,
    attackers: (count) => Promise.all(Array.from({ length: count }, attacker)),
    async servesOthers() {
      expect(await answerOf(target, '/')).to.equal('hello');
    },
    async holdsAtMost(mebibytes) {
      let more = 0;
      await waitFor(`at most ${mebibytes} MiB more`, async () => {
        more = (await memory()) - before;
        return more < mebibytes * mebibyte;
      }).catch((error: unknown) => {
        throw new Error(`it holds ${(more / mebibyte).toFixed(1)} MiB more`, { cause: error });
      });
    },
  };
}
