import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import { onEnd } from '../helpers/cleanup.ts';
import type { UnexplainedEnd } from '../helpers/hammer.ts';
import { heldPorts } from './held-ports.ts';
import { faults, faultText } from './verdict.ts';

const end: UnexplainedEnd = { port: 5000, openedAtMs: 100, endedAtMs: 200, unanswered: 2 };
const death = (atMs: number, ...ports: number[]) => [{ pid: 1, atMs, ports: new Set(ports) }];

describe('the end of a connection without a word', () => {
  it('is explained by the death of a process that held it', () => {
    expect(faults([end], death(150, 4999, 5000))).to.deep.equal([]);
  });

  it('is a fault if nobody died, if another one held it, or at another time: ports are used anew', () => {
    for (const deaths of [[], death(150, 4999), death(99, 5000), death(201, 5000)])
      expect(faults([end], deaths)).to.deep.equal([end]);
    expect(faultText(end)).to.include('port 5000').and.include('2 requests');
  });

  it('is never explained when there was no connection', () => {
    const refused = { ...end, port: 0 };
    expect(faults([refused], death(150, 5000))).to.deep.equal([refused]);
    expect(faultText(refused)).to.equal('a connection was refused');
  });
});

describe('the connections that a process holds', () => {
  it('are told apart from those of others, by the port of the peer', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    onEnd(() => server.close());
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const accepted = once(server, 'connection');
    const client = connect({ port, host: '127.0.0.1' });
    onEnd(() => client.destroy());
    await Promise.all([accepted, once(client, 'connect')]);
    expect(await heldPorts(process.pid, port)).to.deep.equal(new Set([client.localPort]));
    expect(await heldPorts(process.ppid, port)).to.deep.equal(new Set());
  });
});
