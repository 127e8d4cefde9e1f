import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import type { EvyProcess, RunOptions } from '../../helpers/run-evy.ts';
import { runEvy } from '../../helpers/run-evy.ts';
import { answerOf, crewOf, echo, expectNoLoss, light, moreAnswers, reload, serve, underLoad } from './serving.ts';

interface Opened {
  port: number;
  fd: number;
  /** as a service manager does not: gives up its own descriptor, so that it does not accept */
  close(): void;
}

async function open(): Promise<Opened> {
  const server = createServer().listen(0, '127.0.0.1');
  onEnd(() => server.close());
  await once(server, 'listening');
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  return { port: (server.address() as AddressInfo).port, fd, close: () => server.close() };
}

/** Runs the command with these sockets as descriptors 3, 4, ...; from then on they are its own. */
async function serveOn(
  sockets: readonly Opened[],
  args: readonly string[],
  options: RunOptions = {},
): Promise<EvyProcess> {
  const serving = serve(args, { ...options, inherit: sockets.map(({ fd }) => fd) });
  for (const socket of sockets) socket.close();
  return serving;
}

/** As systemd does: the variable names the very process, which a shell knows before it becomes Node. */
const activated = (count: number): RunOptions => ({
  node: '/bin/sh',
  nodeArgs: ['-c', 'LISTEN_PID=$$ exec "$0" "$@"', process.env.EVY_TEST_NODE ?? process.execPath],
  env: { LISTEN_FDS: String(count) },
});

describe('sockets that were opened by another process', () => {
  it('are served by their number: fd:3 in the clear, tls:fd:4', async () => {
    const sockets = [await open(), await open()];
    const tls = ['--certfile', certfile, '--keyfile', keyfile];
    const evy = await serveOn(sockets, ['--bind', 'fd:3', '--bind', 'tls:fd:4', ...tls, '--workers', '2', echo]);
    expect(evy.addresses.map(({ port }) => port)).to.deep.equal(sockets.map(({ port }) => port));
    expect(await answerOf({ port: sockets[0]!.port })).to.equal('echo');
    expect(await answerOf({ port: sockets[1]!.port, tls: trusted })).to.equal('echo');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('are found by LISTEN_FDS and LISTEN_PID, and outlive a reload under load', async () => {
    const sockets = [await open(), await open()];
    const evy = await serveOn(sockets, ['--workers', '2', echo], activated(2));
    expect(evy.addresses.map(({ port }) => port)).to.deep.equal(sockets.map(({ port }) => port));
    expect(await answerOf({ port: sockets[1]!.port })).to.equal('echo');
    const load = await underLoad(evy, light);
    await reload(evy);
    await crewOf(evy, [2, 2]);
    await moreAnswers(load);
    expectNoLoss(await load.stop());
    expect(await answerOf({ port: sockets[1]!.port })).to.equal('echo');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('are left alone when LISTEN_PID is that of another process', async () => {
    const evy = await serve(['--port', '0', '--workers', '1', echo], { env: { LISTEN_FDS: '1', LISTEN_PID: '1' } });
    expect(evy.seen('option.ignored')[0]).to.include({ option: 'LISTEN_FDS' });
    expect(await answerOf({ port: evy.port })).to.equal('echo');
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('are refused when the descriptor is none', async () => {
    const evy = runEvy(['--bind', 'fd:77', echo]);
    expect(await evy.exit).to.include({ code: 2 });
    expect(evy.output()).to.match(/^evy: --bind fd:77: descriptor 77 must be a socket$/m);
  });
});
