import { createServer, type RequestListener } from 'node:http';
import { createServer as createNetServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { expect } from 'chai';
import { onEnd } from './cleanup.ts';
import { startLoadHere, type LoadOptions, type LoadResult, type RunningLoad } from './load-client.ts';
import { startLoad } from './load-process.ts';
import { waitFor } from './wait-for.ts';

async function listening(server: Server): Promise<number> {
  onEnd(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const few = { keepAlive: 3, reconnecting: 2, paceMs: 1 };

/** Runs a load against a server until `enough`. */
async function load(
  server: Server,
  enough: (result: LoadResult) => boolean,
  options: Partial<LoadOptions> = {},
  start: (options: LoadOptions) => RunningLoad | Promise<RunningLoad> = startLoadHere,
): Promise<LoadResult> {
  const running = await start({ port: await listening(server), ...few, ...options });
  await waitFor('enough load', async () => enough(await running.snapshot()));
  return running.stop();
}

const http = (listener: RequestListener) => createServer(listener);
const echo: RequestListener = (req, res) => {
  res.setHeader('X-Pid', process.pid);
  res.end(req.headers['x-load-id']);
};

describe('the load client', () => {
  for (const [where, start] of [
    ['in this process', startLoadHere],
    ['in its own process', startLoad],
  ] as const) {
    it(`counts whole, right answers (${where})`, async () => {
      const options = { expect: 'echo-id', countHeader: 'X-Pid' } as const;
      const result = await load(http(echo), ({ ok }) => ok > 100, options, start);
      expect(result).to.include({ failed: 0, wrong: 0, non200: 0, closedIdle: 0, announcedClose: 0 });
      expect(result.seen).to.deep.equal({ [process.pid]: result.ok });
      expect(result.connects).to.be.greaterThan(3);
      expect(result.maxMs).to.be.at.least(result.p99Ms).and.at.least(result.p50Ms);
    });
  }
  it('counts wrong bodies and other statuses', async () => {
    let turn = 0;
    const server = http((_req, res) => {
      res.statusCode = (turn += 1) % 2 === 0 ? 503 : 200;
      res.end('x');
    });
    const result = await load(server, ({ non200, wrong }) => non200 > 5 && wrong > 5, { expect: 'echo-id' });
    expect(result).to.include({ ok: 0, failed: 0 });
    expect(result.examples.join('\n'))
      .to.match(/non200: 503/)
      .and.match(/wrong: "x" instead of/);
  });
  it('counts refused connections', async () => {
    const server = createServer();
    const port = await listening(server);
    await new Promise((resolve) => server.close(resolve));
    const running = startLoadHere({ port, ...few });
    await waitFor('refusals', async () => (await running.snapshot()).refused > 5);
    const { refused, failed, connects } = await running.stop();
    expect({ failed, connects }).to.deep.equal({ failed: refused, connects: 0 });
  });
  it('counts resets and cut answers', async () => {
    let turn = 0;
    const server = createNetServer((socket) => {
      socket
        .on('error', () => {})
        .once('data', () => {
          turn += 1;
          if (turn % 2 === 0) socket.resetAndDestroy();
          else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
        });
    });
    const result = await load(server, ({ reset, cut }) => reset > 5 && cut > 5);
    expect(result).to.include({ ok: 0, failed: result.reset + result.cut, closedIdle: 0 });
  });
  it('counts requests that nobody answers', async () => {
    const result = await load(
      http(() => {}),
      ({ unanswered }) => unanswered > 5,
      { answerWithinMs: 20 },
    );
    expect(result.failed).to.equal(result.unanswered);
  });
  it('tells an idle connection that was closed from one that was announced', async () => {
    const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n';
    const abrupt = createNetServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end(`${answer}\r\n`));
    });
    // So long that no next request crosses the end of its connection, which ends the pause.
    const quiet = { reconnecting: 0, paceMs: 3_600_000 };
    const closed = await load(abrupt, ({ closedIdle }) => closedIdle > 5, quiet);
    expect(closed).to.include({ announcedClose: 0, failed: 0 });

    const open = createNetServer((socket) => {
      socket.on('error', () => {}).once('data', () => socket.end(`${answer}Connection: close\r\n\r\n`));
    });
    const announced = await load(open, ({ announcedClose }) => announcedClose > 5, quiet);
    expect(announced).to.include({ closedIdle: 0, failed: 0 });
  });
});
