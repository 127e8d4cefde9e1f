import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '../../helpers/files.ts';
import { connect, type RawClient } from '../../helpers/raw-client.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { crewOf, onlyTheMasterAccepts, reload, serve, slow } from './serving.ts';

const most = 10;

describe('the whole server', () => {
  for (const [where, env] of [
    ['', {}],
    [', without private API of Node', { EVY_PRIVATE_API: 'off' }],
    [', where only the master can accept', onlyTheMasterAccepts],
  ] as const)
    it(`takes so many connections at a time${where}; the others wait, through a reload, and none is refused`, async function () {
      const gate = join(await tempFolder(), 'gate');
      const evy = await serve(['--port', '0', '--workers', '3', '--max-connections', String(most), slow], { env });
      const ask = async (): Promise<RawClient> => {
        const client = await connect({ port: evy.port });
        client.send(`GET /?${gate} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
        return client;
      };
      const clients = await Promise.all(Array.from({ length: 40 }, ask));
      const begun = () => clients.filter(({ received }) => received.includes('begun,')).length;
      await waitFor('all that are taken', () => begun() >= most);
      expect(begun()).to.equal(most);
      await reload(evy);
      expect(begun()).to.equal(most);
      await writeFile(gate, '');
      const endOf = async (client: RawClient) => {
        await waitFor('an answer', () => client.received.includes('done'));
        client.close();
      };
      await Promise.all(clients.map(endOf));
      await crewOf(evy, [2, 2, 2]);
      expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    });
});
