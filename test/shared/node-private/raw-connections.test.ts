import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { fixture } from '../../helpers/files.ts';

const source = new URL('../../../src/shared/node-private/node-private.ts', import.meta.url);

/** In a process of its own: what was given up there is not to be missed here. */
async function onNodeWhoseStreamWrapIs(what: string): Promise<unknown> {
  const env = { ...process.env, NODE_PRIVATE: source.href };
  const script = fixture('node-private', 'broken-stream-wrap.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, script, what], { env });
  return JSON.parse(stdout);
}

describe('connections on handles of libuv', () => {
  for (const [what, reason] of [
    ['gone', 'process.binding() does not give stream_wrap'],
    ['renamed', 'process.binding() does not give stream_wrap'],
    ['of another meaning', 'a short write has to wait'],
  ] as const) {
    it(`are left alone, and nothing else is, where stream_wrap is ${what}`, async () => {
      expect(await onNodeWhoseStreamWrapIs(what)).to.deep.equal({
        rawConnections: false,
        reason,
        others: { inheritedSockets: true, acceptGate: true, moving: true },
        accepts: false,
      });
    });
  }
});
