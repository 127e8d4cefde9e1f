/**
 * Warm-up: requests that a worker serves to itself before it accepts connections.
 *
 * They go through in-memory streams into a separate loop with the same code and the same application as the serving
 * one. So the whole path of a request runs, post hooks included, and the worker's counters and access log are not
 * affected. The boot time-out of the master limits the duration.
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
  /** a separate loop for these requests, stopped at the end */
  readonly serving: Serving;
  readonly scheme: 'http' | 'https';
  /** a valid value for the Host header */
  readonly host: string;
  /** as 'GET:/path' */
  readonly requests: readonly string[];
  /** called before each request */
  readonly onStep: (step: string) => void;
}

/** Returns the status of the complete response. */
async function statusOf({ serving, scheme, host }: WarmUp, { method, path }: WarmUpRequest): Promise<number> {
  const [client, server] = duplexPair();
  // Unlike sockets, the two sides of a pair do not notice when the other one is destroyed.
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

/** @throws {EvyError} WARM_UP_FAILED at the first response that is not 2xx or 3xx */
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
