import { expect } from 'chai';
import { connect } from '../../helpers/raw-client.ts';
import { header } from '../../helpers/response-reader.ts';
import { application, ask, crewOf, serve } from './serving.ts';

const app = application('dies-of-a-path');
const options = ['--port', '0', '--workers', '2', '--quarantine', '2', '--quarantine-time', '60s'];

describe('a route that kills workers', () => {
  it('gets 503 after so many crashes, from new workers, too, and other routes are served', async function () {
    const evy = await serve([...options, app]);
    const target = { port: evy.port };
    for (let crashes = 1; crashes <= 2; crashes += 1) {
      const client = await connect(target);
      client.send(`GET /crash/${crashes} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await client.closed();
      await evy.until('worker.exit', { times: crashes });
      await crewOf(evy, [1, 1]);
    }
    const line = await evy.until('route.quarantined');
    expect(line).to.include({ route: 'GET /crash/:id', crashes: 2 });
    expect(evy.seen('request.cut').map(({ target: path }) => path)).to.deep.equal(['/crash/1', '/crash/2']);
    const refused = await ask(target, '/crash/3?again');
    expect(refused.status).to.equal(503);
    expect(Number(header(refused, 'Retry-After'))).to.be.within(1, 60);
    expect((await ask(target, '/')).status).to.equal(200);

    const before = await crewOf(evy, [1, 1]);
    for (const { pid } of before) process.kill(pid, 'SIGTERM');
    await evy.until('worker.exit', { times: 4 });
    await crewOf(evy, [1, 1]);
    for (let times = 0; times < 6; times += 1) expect((await ask(target, '/crash/4')).status).to.equal(503);
    expect(evy.seen('worker.crashed')).to.have.length(2);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });

  it('gets 503 when it does so by process.exit(), too', async () => {
    const evy = await serve(['--port', '0', '--workers', '1', '--quarantine', '1', app]);
    const target = { port: evy.port };
    const client = await connect(target);
    client.send('GET /crash/exit/1 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await client.closed();
    expect(await evy.until('route.quarantined')).to.include({ route: 'GET /crash/exit/:id' });
    await evy.until('worker.exit');
    await crewOf(evy, [1]);
    expect((await ask(target, '/crash/exit/2')).status).to.equal(503);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
