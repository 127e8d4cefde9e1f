/** Each kind once, and each interface over each transport; each-kind-of-restart-for-each-interface.long.ts has all of them together. */
import { restartKinds, type Interface, type RestartKind, type Transport } from '../../helpers/restarts.ts';
import { expect } from 'chai';
import { unnoticedRestarts } from './unnoticed-restarts.ts';

const chosen: ReadonlyArray<[Interface, Transport, readonly RestartKind[]]> = [
  ['wsgi', 'plain', ['scale down', 'maxAge']],
  ['fetch', 'plain', ['TERM of a worker', 'upgrade']],
  ['node', 'plain', ['maxRequests', 'release taken back']],
  ['wsgi', 'tls', ['upgrade']],
  ['fetch', 'tls', ['release taken back']],
  ['node', 'tls', ['reload']],
];

describe('under light load, each kind of restart', () => {
  for (const [kind, transport, restarts] of chosen) {
    it(`costs nothing: ${kind}, ${transport}, ${restarts.join(' and ')}`, () =>
      unnoticedRestarts(kind, transport, restarts));
  }

  it('is among these', () => {
    expect(chosen.flatMap(([, , restarts]) => restarts)).to.include.members([...restartKinds]);
  });
});
