import { expect } from 'chai';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempFolder } from '../../helpers/files.ts';
import { connect, type RawClient } from '../../helpers/raw-client.ts';
import { header } from '../../helpers/response-reader.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { serve, slow } from './serving.ts';

const most = 6;
const limited = [
  '--port',
  '0',
  '--workers',
  '2',
  '--max-concurrent-requests',
  String(most),
  '--health-paths',
  '/health',
];

describe('the whole server', () => {
  it('works on so many requests at a time; others get 503, and health checks their answer', async function () {
    const gate = join(await tempFolder(), 'gate');
    const evy = await serve([...limited, slow]);
    const begun: RawClient[] = [];
    /** Whether the application has got it. */
    const begin = async (): Promise<boolean> => {
      const client = await connect({ port: evy.port });
      client.send(`GET /?${gate} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await waitFor('an answer', () => client.received.includes('\n\r\n'));
      if (client.received.startsWith('HTTP/1.1 200 ')) begun.push(client);
      else client.close();
      return client.received.startsWith('HTTP/1.1 200 ');
    };
    // Shares follow: whoever is refused comes again.
    await waitFor('as many as there may be', async () => (await begin()) && begun.length === most);

    const client = await connect({ port: evy.port });
    const ask = (path: string) => client.request(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    const refused = await ask('/');
    expect(refused.status).to.equal(503);
    expect(header(refused, 'Retry-After')).to.equal('1');
    expect((await ask('/health')).status).to.equal(200);
    expect((await ask('/')).status).to.equal(503);

    await evy.until('requests.turned-away');
    await writeFile(gate, '');
    await waitFor('their answers', () => begun.every(({ received }) => received.includes('done')));
    await waitFor('room', async () => (await ask('/')).status === 200);
    for (const one of [...begun, client]) one.close();
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
