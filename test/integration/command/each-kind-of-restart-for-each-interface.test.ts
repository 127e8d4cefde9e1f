import { expect } from 'chai';
import { interfaces, RestartedServer, restartKinds, transports } from '../../helpers/restarts.ts';
import { expectUnnoticed, light } from './serving.ts';

describe('under light load, each kind of restart', () => {
  for (const transport of transports) {
    for (const kind of interfaces) {
      it(`costs nothing: ${kind}, ${transport}`, async function () {
        this.timeout(120_000);
        const server = await RestartedServer.serve(kind, transport, light);
        for (const restart of restartKinds) {
          const result = await server.restart(restart);
          // What cannot move for sure is told to close; over TLS, one that asks too late may find that it is closed.
          if (transport === 'tls') expect(result, restart).to.include({ failed: 0, wrong: 0, non200: 0 });
          else expectUnnoticed(result);
        }
        await server.stop();
        // The first master has ended too, after the upgrade.
        expect(await server.evy.exit).to.deep.equal({ code: 0, signal: null });
      });
    }
  }
});
