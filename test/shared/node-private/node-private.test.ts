import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { IncomingMessage, ServerResponse } from 'node:http';
import net, { createServer, Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import {
  acceptGate,
  headBytes,
  listenUnpolled,
  privateParts,
  probePrivateApi,
  switchedOff,
} from '../../../src/shared/node-private/node-private.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { fixture, tempFolder } from '../../helpers/files.ts';
import { rejection } from '../../master/helpers/fake-crew.ts';

const source = new URL('../../../src/shared/node-private/node-private.ts', import.meta.url);

/** Runs the trial in a process of its own, since it is a primary with workers. */
async function trial(): Promise<unknown> {
  const path = join(await tempFolder(), 's');
  const env = { ...process.env, NODE_PRIVATE: source.href };
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...process.execArgv, fixture('node-private', 'parent.mjs'), path],
    { env },
  );
  expect(existsSync(path)).to.equal(false);
  return JSON.parse(stdout);
}

describe("Node's private API", () => {
  it('tells how long the head of a response is', () => {
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    expect(headBytes(response)).to.equal(0);
    response.sendDate = false;
    response.writeHead(204, 'x', { A: 'b' });
    expect(headBytes(response)).to.equal('HTTP/1.1 204 x\r\nA: b\r\nConnection: close\r\n\r\n'.length);
  });

  it('does on this Node what it is used for', async () => {
    const inherited = {
      gate: true,
      early: 'served',
      acceptedWhilePaused: 0,
      held: 'served',
      late: 'served',
      closed: 'ECONNREFUSED',
    };
    expect(await trial()).to.deep.equal({
      faults: {},
      tcp: inherited,
      unix: { ...inherited, closed: 'ENOENT' },
      gateOfOrdinary: 'none',
      gateOfUnpolled: '0 while paused, then served',
    });
  });

  it('is switched off as a whole by EVY_PRIVATE_API=off; what needs none works on', async () => {
    process.env['EVY_PRIVATE_API'] = 'off';
    onEnd(() => delete process.env['EVY_PRIVATE_API']);
    const off = Object.fromEntries(
      ['unixSockets', 'moving', 'rawConnections', 'reset'].map((part) => [part, switchedOff]),
    );
    const without = { tcpSockets: `${switchedOff}, and this Node has no net.BoundSocket` };
    const faults = 'BoundSocket' in net ? off : { ...without, ...off };
    expect(await probePrivateApi(privateParts)).to.deep.equal(faults);
    const path = join(await tempFolder(), 's');
    const server = createServer();
    onEnd(() => server.close());
    const socket = await listenUnpolled({ kind: 'unix', path }, 8);
    await socket.serve(server, 8);
    expect(acceptGate(server)).to.equal(undefined);
  });

  it('says what the operating system says', async () => {
    const target = { kind: 'tcp', address: '127.0.0.1', port: 0, family: 4 } as const;
    const first = await listenUnpolled(target, 8);
    onEnd(() => first.close());
    const again = listenUnpolled({ ...target, port: first.address!.port }, 8);
    expect(await rejection(again)).to.include({ code: 'EADDRINUSE' });
    const elsewhere = listenUnpolled({ ...target, address: '192.0.2.1' }, 8);
    expect(await rejection(elsewhere)).to.include({ code: 'EADDRNOTAVAIL' });
  });

  it('has no gate for a server that does not listen', () => {
    expect(acceptGate(createServer())).to.equal(undefined);
  });
});
