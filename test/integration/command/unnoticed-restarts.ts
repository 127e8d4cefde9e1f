/** Restarts one after the other under light load, none of which a client may notice. */
import { expect } from 'chai';
import { RestartedServer, type Interface, type RestartKind, type Transport } from '../../helpers/restarts.ts';
import { expectUnnoticed, light } from './serving.ts';

export async function unnoticedRestarts(
  kind: Interface,
  transport: Transport,
  restarts: readonly RestartKind[],
): Promise<void> {
  const server = await RestartedServer.serve(kind, transport, light);
  for (const restart of restarts) {
    const result = await server.restart(restart);
    // What cannot move for sure is told to close; over TLS, one that asks too late may find that it is closed.
    if (transport === 'tls') expect(result, restart).to.include({ failed: 0, wrong: 0, non200: 0 });
    else expectUnnoticed(result);
  }
  await server.stop();
  // The first master has ended too, after the upgrade.
  expect(await server.evy.exit).to.deep.equal({ code: 0, signal: null });
}
