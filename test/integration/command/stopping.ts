/**
 * Graceful stops under load, of a server on its own and of instances behind a proxy that stop and start in turn: few of them in
 * `npm test`, more in `npm run test:long`, which also prints what it has counted.
 */
import { expect } from 'chai';
import { freePort } from '../../helpers/free-port.ts';
import { startNginx, startProxy } from '../../helpers/proxy-program.ts';
import { crewOf, echo, expectNoLoss, moreAnswers, serve, underLoad } from './serving.ts';

export const stoppingInterfaces = { 'wsgi': '', 'fetch': '-fetch', '(req, res)': '-node' } as const;

export interface StopsUnderLoad {
  app: string;
  /** arguments that say where it listens */
  bind: readonly string[];
  tls?: boolean;
  /** how many servers are started and stopped, one after the other */
  times: number;
}

/** What the clients of all stops together have counted; a stopped server refuses connections, which is no loss. */
export interface Losses {
  answers: number;
  reset: number;
  cut: number;
  unanswered: number;
  /** closed without an announcement, while no request was under way */
  closedIdle: number;
  /** wrong answers, and answers with another status than 200 */
  wrong: number;
}

const noLoss = { reset: 0, cut: 0, unanswered: 0, closedIdle: 0, wrong: 0 };
const inOrder = { code: 0, signal: null };

/** 16 keep-alive and 16 reconnecting clients ask all the time, before each stop and until it is over. */
export async function stopsUnderLoad({ app, bind, tls = false, times }: StopsUnderLoad): Promise<Losses> {
  const losses: Losses = { answers: 0, ...noLoss };
  const examples: string[] = [];
  for (let done = 0; done < times; done += 1) {
    const evy = await serve([...bind, '--workers', '2', app]);
    const load = await underLoad(evy, { keepAlive: 16, reconnecting: 16, paceMs: 1, tls });
    await moreAnswers(load);
    expect(await evy.stop()).to.deep.equal(inOrder);
    const result = await load.stop();
    losses.answers += result.ok;
    losses.reset += result.reset;
    losses.cut += result.cut;
    losses.unanswered += result.unanswered;
    losses.closedIdle += result.closedIdle;
    losses.wrong += result.wrong + result.non200;
    examples.push(...result.examples.filter((example) => !example.includes('refused')));
  }
  const { answers, ...lost } = losses;
  expect(lost, `of ${answers} answers:\n${examples.join('\n')}`).to.deep.equal(noLoss);
  return losses;
}

export type Proxy = 'haproxy' | 'nginx';

export interface RollingStops {
  proxy: Proxy;
  /** path of the proxy's program */
  path: string;
  app?: string;
  instances: number;
  /** which instance is stopped and started, one after the other */
  turns: readonly number[];
}

const starts = {
  haproxy: (path: string, port: number, servers: readonly number[]) => {
    const lines = [
      'defaults',
      '  mode http',
      '  timeout connect 5s',
      '  timeout client 30s',
      '  timeout server 30s',
      'listen app',
      `  bind 127.0.0.1:${port}`,
      '  http-reuse always',
      '  option redispatch 1',
      ...servers.map((server) => `  server s${server} 127.0.0.1:${server}`),
    ];
    return startProxy({
      path,
      args: (folder) => ['-db', '-f', `${folder}/haproxy.cfg`],
      files: { 'haproxy.cfg': `${lines.join('\n')}\n` },
      port,
    });
  },
  nginx: (path: string, port: number, servers: readonly number[]) =>
    startNginx({
      path,
      port,
      http: `
  upstream app {
    ${servers.map((server) => `server 127.0.0.1:${server} max_fails=0;`).join('\n    ')}
    keepalive 32;
  }
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }`,
    }),
};

/**
 * The clients POST: neither proxy sends such a request to a second instance when the first one has it, so that a request that an
 * instance loses is lost for the client, too. Resolves with the number of answers.
 */
export async function rollingStops({ proxy, path, app = echo, instances, turns }: RollingStops): Promise<number> {
  const start = async (port: number) => {
    const evy = await serve(['--bind', `127.0.0.1:${port}`, '--workers', '2', app]);
    await crewOf(evy, [1, 1]);
    return evy;
  };
  const ports: number[] = [];
  for (let count = 0; count < instances; count += 1) ports.push(await freePort());
  const running = await Promise.all(ports.map(start));
  const port = await freePort();
  await starts[proxy](path, port, ports);
  const load = await underLoad(running[0]!, { keepAlive: 16, reconnecting: 4, paceMs: 3, port, method: 'POST' });
  for (const turn of turns) {
    await moreAnswers(load, 300);
    expect(await running[turn]!.stop()).to.deep.equal(inOrder);
    running[turn] = await start(ports[turn]!);
  }
  await moreAnswers(load, 300);
  const result = await load.stop();
  expectNoLoss(result);
  // Each instance has answered, the new ones too: so the load did go through all of the stops.
  expect(Object.keys(result.seen)).to.have.length.of.at.least(instances + turns.length);
  return result.ok;
}
