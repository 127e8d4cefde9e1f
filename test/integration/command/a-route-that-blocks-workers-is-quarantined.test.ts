import { expect } from 'chai';
import { connect } from '../../helpers/raw-client.ts';
import { application, ask, crewOf, serve } from './serving.ts';

describe('a route that blocks workers', () => {
  it('gets 503 once so many of them were stuck', async function () {
    const options = ['--port', '0', '--workers', '1', '--stuck-timeout', '1s', '--quarantine', '1'];
    const evy = await serve([...options, application('burns-time')]);
    const client = await connect({ port: evy.port });
    client.send('GET /long?60000 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const line = await evy.until('route.quarantined');
    expect(line).to.include({ route: 'GET /long', crashes: 1 });
    await evy.until('worker.exit');
    client.close();
    await crewOf(evy, [1]);
    const target = { port: evy.port };
    expect((await ask(target, '/long?60000')).status).to.equal(503);
    expect((await ask(target, '/?1')).status).to.equal(200);
    expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
  });
});
