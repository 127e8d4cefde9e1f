import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type ListenOptions, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { remoteEnd } from '../../../src/shared/node-private/node-private.ts';
import { onEnd } from '../../helpers/cleanup.ts';
import { tempFolder } from '../../helpers/files.ts';
import { waitFor } from '../../helpers/wait-for.ts';

async function pair(where: ListenOptions): Promise<{ client: Socket; accepted: Socket }> {
  const server = createServer().listen(where);
  onEnd(() => server.close());
  await once(server, 'listening');
  const address = server.address() as AddressInfo | string;
  const client = typeof address === 'string' ? connect(address) : connect(address.port, address.address);
  client.on('error', () => {});
  const [accepted] = (await once(server, 'connection')) as [Socket];
  for (const socket of [client, accepted.on('error', () => {})]) onEnd(() => void socket.destroy());
  return { client, accepted };
}

describe('the remote end of a connection', () => {
  for (const host of ['127.0.0.1', '::1']) {
    it(`is what its socket says, which does not remember it: ${host}`, async () => {
      const { client, accepted } = await pair({ host, port: 0 });
      expect(remoteEnd(accepted)).to.include({ address: host, port: client.localPort });
      expect(accepted).not.to.have.property('_peername');
      expect(accepted.remoteAddress).to.equal(host);
    });
  }

  it('is the same without private API', async () => {
    process.env['EVY_PRIVATE_API'] = 'off';
    onEnd(() => delete process.env['EVY_PRIVATE_API']);
    const { client, accepted } = await pair({ host: '127.0.0.1', port: 0 });
    expect(remoteEnd(accepted)).to.deep.equal({ address: '127.0.0.1', port: client.localPort });
  });

  it('has no address on a unix socket, nor when the client is gone', async () => {
    const folder = await tempFolder();
    const { accepted } = await pair({ path: join(folder, 'socket') });
    expect(remoteEnd(accepted).address).to.equal(undefined);
    const gone = await pair({ host: '127.0.0.1', port: 0 });
    gone.client.resetAndDestroy();
    await waitFor('the reset', () => remoteEnd(gone.accepted).address === undefined);
  });
});
