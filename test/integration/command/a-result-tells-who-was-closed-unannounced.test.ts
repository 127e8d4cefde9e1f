import { expect } from 'chai';
import { certfile, keyfile, trusted } from '../../helpers/certificates.ts';
import { header } from '../../helpers/response-reader.ts';
import { application, beIdle, crewOf, reload, serve } from './serving.ts';

const get = 'GET / HTTP/1.1\r\nHost: test\r\n\r\n';
const tls = ['--bind', 'tls:127.0.0.1:0', '--certfile', certfile, '--keyfile', keyfile];

describe('a result tells who was closed without having been announced', () => {
  for (const kind of ['', '-node']) {
    const app = application(`echoes-load-id${kind}`);

    it(`at the end of the grace time, and who was told before: echoes-load-id${kind}`, async function () {
      const evy = await serve([...tls, '--workers', '1', '--grace', '2s', app]);
      const target = { port: evy.port, tls: trusted };
      const clients = await Promise.all(Array.from({ length: 5 }, () => beIdle(target)));
      await reload(evy);
      for (const client of clients.slice(0, 2)) {
        expect(header(await client.request(get), 'Connection')).to.equal('close');
        await client.closed();
        client.close();
      }
      for (const client of clients.slice(2)) {
        expect(await client.closed()).to.equal('fin');
        client.close();
      }
      expect(await evy.until('reload.done')).to.include({ moved: 0, drained: 2, closed: 3, cut: 0 });
      await crewOf(evy, [2]);
      expect(await evy.stop()).to.deep.equal({ code: 0, signal: null });
    });

    for (const privateApi of ['on', 'off'])
      it(`at a stop: echoes-load-id${kind}, with private API ${privateApi}`, async () => {
        const evy = await serve(['--port', '0', '--workers', '1', app], { env: { EVY_PRIVATE_API: privateApi } });
        const clients = await Promise.all(Array.from({ length: 4 }, () => beIdle({ port: evy.port })));
        const exit = evy.stop();
        for (const client of clients) {
          expect(await client.closed()).to.equal('fin');
          client.close();
        }
        expect(await exit).to.deep.equal({ code: 0, signal: null });
        expect(evy.seen('master.stopped')[0]).to.include({ moved: 0, drained: 0, closed: 4, cut: 0 });
      });
  }
});
