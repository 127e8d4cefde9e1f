import { execFile } from 'node:child_process';
import net from 'node:net';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { PrivateFaults } from '../../../src/shared/node-private/node-private.ts';
import { fixture } from '../../helpers/files.ts';

const source = new URL('../../../src/shared/node-private/node-private.ts', import.meta.url);

/** In a process of its own: what is given up there is not to be missed here. */
async function onNodeWith(broken: string, ...flags: string[]): Promise<{ faults: PrivateFaults; acceptsRaw: boolean }> {
  const env = { ...process.env, NODE_PRIVATE: source.href, EVY_TEST_BROKEN: broken };
  const script = fixture('node-private', 'probe.mjs');
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, ...flags, script], { env });
  return JSON.parse(stdout) as { faults: PrivateFaults; acceptsRaw: boolean };
}

const noHandle = 'this Node has no net._createServerHandle';
const bindsWithoutPrivateApi = 'BoundSocket' in net;

const cases: Readonly<Record<string, PrivateFaults>> = {
  'nothing': {},
  'no BoundSocket': {},
  'no _createServerHandle': {
    unixSockets: noHandle,
    ...(bindsWithoutPrivateApi
      ? {}
      : { tcpSockets: 'this Node has neither net.BoundSocket nor net._createServerHandle' }),
  },
  'a BoundSocket and no _createServerHandle': { unixSockets: noHandle },
  'no _listen2': { unixSockets: 'net.Server has no _listen2' },
  'a pause() that does not reach the handle': { tcpSockets: 'pausing a socket does not stop it from accepting' },
  'handles without writeQueueSize': { moving: 'a connection cannot be detached' },
  'a reset that closes in order': { reset: "the client of a reset socket sees 'end'" },
  'no stream_wrap': { rawConnections: 'process.binding() does not give stream_wrap' },
  'a stream_wrap with other names': { rawConnections: 'process.binding() does not give stream_wrap' },
  'a stream_wrap with other meanings': { rawConnections: 'a short write by latin1 has to wait' },
  'a writeBuffer that fails': { rawConnections: 'a write by writeBuffer fails' },
  'a writev that fails': { rawConnections: 'a write by writev fails' },
  'a shutdown that does nothing': { rawConnections: 'a raw connection does not finish its answer' },
};

describe('each part of private API', () => {
  for (const [broken, faults] of Object.entries(cases)) {
    it(`falls back on its own, and says why, on a Node with ${broken}`, async () => {
      expect(await onNodeWith(broken)).to.deep.equal({ faults, acceptsRaw: faults.rawConnections === undefined });
    });
  }

  it('works with --no-deprecation, under which process.noDeprecation cannot be assigned', async () => {
    expect(await onNodeWith('nothing', '--no-deprecation')).to.deep.equal({ faults: {}, acceptsRaw: true });
  });
});
