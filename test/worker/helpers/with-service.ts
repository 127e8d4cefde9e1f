/** What a worker serves with, on a socket of its own: for the interfaces that the one-process server does not have. */
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { silentLogger, type LogFields, type Logger } from '../../../src/shared/log/log.ts';
import { resolveServerInput } from '../../../src/shared/options/input.ts';
import type { ServerOptionsInput, ServerSettings } from '../../../src/shared/options/table.ts';
import { accessLogTo, type AccessLog } from '../../../src/worker/access-log/access-log.ts';
import { makeServer } from '../../../src/worker/accepting/make-server.ts';
import type { Serving } from '../../../src/worker/loop/service.ts';
import type { TimeSource } from '../../../src/worker/transport/clock.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { connect, type RawClient } from '../../helpers/raw-client.ts';
import { waitFor } from '../../helpers/wait-for.ts';

export interface ServingParts {
  settings: ServerSettings;
  log: Logger;
  accessLog: AccessLog;
  multiprocess: boolean;
  time?: TimeSource;
}

export interface WithService {
  readonly serving: Serving;
  readonly port: number;
  readonly accessLines: string[];
  readonly errors: Array<LogFields & { event: string }>;
  /** lines of requests that were refused */
  readonly refusals: LogFields[];
  /** lines of clients that did not read */
  readonly cuts: LogFields[];
  connect(): Promise<RawClient>;
  /** no connection, request or hook is left, once the clients are closed */
  rest(): Promise<void>;
}

/** The function of a test: `it('...', withService((parts) => new Service({ ...parts, handler }), {}, async (...) => {}))`. */
export function withService(
  make: (parts: ServingParts) => Serving,
  options: ServerOptionsInput,
  test: (served: WithService) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const errors: Array<LogFields & { event: string }> = [];
    const refusals: LogFields[] = [];
    const cuts: LogFields[] = [];
    const accessLines: string[] = [];
    const settings = resolveServerInput(options);
    const log: Logger = {
      ...silentLogger,
      error: (event, fields) => void errors.push({ event, ...fields }),
      info: (event, fields = {}) => {
        if (event === 'request.refused') refusals.push(fields);
        if (event === 'connection.cut') cuts.push(fields);
      },
    };
    const accessLog = accessLogTo({ write: (line) => accessLines.push(line.trimEnd()) }, settings, log);
    const serving = make({ settings, log, accessLog, multiprocess: true });
    const server = makeServer(undefined, serving);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    onEnd(() => {
      server.close();
      serving.destroyAll();
      void serving.stop();
    });
    const clients: RawClient[] = [];
    const rest = async () => {
      for (const client of clients) client.close();
      const busy = () => {
        const { connections, activeRequests, pendingHooks } = serving.stats;
        return { connections, activeRequests, pendingHooks };
      };
      await waitFor('the server at rest', () => Object.values(busy()).every((count) => count === 0)).catch(() => {});
      expect(busy(), 'what is left').to.deep.equal({ connections: 0, activeRequests: 0, pendingHooks: 0 });
    };
    await test({
      serving,
      port,
      accessLines,
      errors,
      refusals,
      cuts,
      rest,
      connect: async () => {
        const client = await connect({ port });
        clients.push(client);
        return client;
      },
    });
    await rest();
  };
}
