/**
 * Warm-up: requests that a worker answers to itself before it accepts anything.
 *
 * They go through a pair of streams in memory into a loop of their own, made of the same code and the same application
 * as the one that will serve. So all of a request's way is run, its post hooks too, and the worker's counters and its
 * access log know nothing of it. There is no deadline here: the boot time-out of the master covers it.
 */
import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { finished } from 'node:stream/promises';
import { EvyError, toError } from '../../shared/errors.ts';
import { parseWarmUpRequest } from '../../shared/options/warm-up-request.ts';
import type { WarmUpRequest } from '../../shared/options/warm-up-request.ts';
import type { Serving } from '../loop/service.ts';
import { StreamTransport } from '../transport/stream-transport.ts';

export interface WarmUp {
  /** for these requests alone; stopped at the end */
  readonly serving: Serving;
  readonly scheme: 'http' | 'https';
  /** for the Host header: one that is answered for */
  readonly host: string;
  /** as 'GET:/path' */
  readonly requests: readonly string[];
  /** told before each request */
  readonly onStep: (step: string) => void;
}

/** The status of the whole response. */
async function statusOf({ serving, scheme, host }: WarmUp, { method, path }: WarmUpRequest): Promise<number> {
  const [client, server] = duplexPair();
  // Unlike sockets, neither side of a pair learns that the other one was destroyed.
  server.once('close', () => client.destroy());
  const sent = httpRequest({
    method,
    path,
    headers: { 'Host': host, 'User-Agent': 'evy-warm-up', 'Connection': 'close' },
    createConnection: () => client,
  });
  serving.accept(new StreamTransport(server as Socket), { scheme });
  sent.end();
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  await finished(response.resume());
  return response.statusCode!;
}

/** @throws {EvyError} WARM_UP_FAILED at the first request that is not answered with 2xx or 3xx */
export async function warmUp(plan: WarmUp): Promise<void> {
  const { serving, requests, onStep } = plan;
  try {
    for (const text of requests) {
      const request = parseWarmUpRequest(text)!;
      const name = `warm-up ${request.method} ${request.path}`;
      onStep(name);
      const status = await statusOf(plan, request).catch((thrown: unknown) => {
        const cause = toError(thrown);
        throw new EvyError('WARM_UP_FAILED', `${name} got no complete response: ${cause.message}`, { cause });
      });
      if (status < 200 || status > 399)
        throw new EvyError(
          'WARM_UP_FAILED',
          `${name} must be answered with 2xx or 3xx before the worker serves (got ${status})`,
        );
    }
  } finally {
    serving.destroyAll();
    await serving.stop();
  }
}
