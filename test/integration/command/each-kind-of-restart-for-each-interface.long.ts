import { interfaces, restartKinds, transports } from '../../helpers/restarts.ts';
import { unnoticedRestarts } from './unnoticed-restarts.ts';

describe('under light load, each kind of restart, one after the other', () => {
  for (const transport of transports) {
    for (const kind of interfaces) {
      it(`costs nothing: ${kind}, ${transport}`, () => unnoticedRestarts(kind, transport, restartKinds));
    }
  }
});
