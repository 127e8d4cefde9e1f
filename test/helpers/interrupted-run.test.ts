import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { hasEnded } from '../integration/command/serving.ts';
import { onEnd } from './cleanup.ts';
import { fixture, projectRoot, tempFolder } from './files.ts';
import { sendSignal } from './processes.ts';
import { waitFor } from './wait-for.ts';

/** Runs a test that starts a server, interrupts it as `interrupt` does, and waits until the server's processes are gone. */
async function interrupted(args: readonly string[], interrupt: (group: number) => void): Promise<void> {
  const started = join(await tempFolder({ started: '' }), 'started');
  const { MOCHA_WORKER_ID: _ours, ...env } = process.env;
  const script = join(projectRoot, 'scripts', 'mocha.mjs');
  const file = fixture('programs', 'starts-a-server-and-waits.ts');
  const child = spawn(process.execPath, [script, ...args, file], {
    env: { ...env, STARTED: started },
    stdio: 'ignore',
    detached: true, // a process group, as a terminal makes one of a command
  });
  onEnd(() => sendSignal(-child.pid!, 'SIGKILL'));
  const ended = once(child, 'exit');
  const pids = await waitFor('a server', () => {
    const line = readFileSync(started, 'utf8');
    return line.endsWith('\n') && line.trim().split(' ').map(Number);
  });
  expect(pids).to.have.length(3);
  interrupt(child.pid!);
  expect((await ended)[0]).to.not.equal(0);
  for (const pid of pids) await waitFor(`the end of ${pid}`, () => hasEnded(pid));
}

describe('a run of the tests that is interrupted', () => {
  it('by Ctrl-C leaves no server behind', () => interrupted([], (group) => sendSignal(-group, 'SIGINT')));
  it('by TERM to its script alone, in one process, leaves none either', () =>
    interrupted(['--no-parallel'], (pid) => sendSignal(pid, 'SIGTERM')));
});
