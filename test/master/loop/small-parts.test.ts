/** The small pure parts of the master. */
import { EventEmitter } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Command } from '../../../src/master/loop/commands.ts';
import { workerExecArgv } from '../../../src/master/workers/fork-worker.ts';
import { reloadedOptions } from '../../../src/master/generations/generation.ts';
import { removePidfile, writePidfile } from '../../../src/master/pidfile.ts';
import { checkPlatform, fallbacksOf, neededParts } from '../../../src/master/platform.ts';
import { installSignals } from '../../../src/master/signals.ts';
import { deathError } from '../../../src/master/workers/worker-death.ts';
import { privateParts } from '../../../src/shared/node-private/node-private.ts';
import { resolveInput } from '../../../src/shared/options/input.ts';
import { tempFolder } from '../../helpers/files.ts';

describe("Node's flags for a worker", () => {
  it('are those of the master but what makes Node run a string', () => {
    expect(workerExecArgv(['--import', 'tsx', '--max-old-space-size=100'])).to.deep.equal([
      '--import',
      'tsx',
      '--max-old-space-size=100',
    ]);
    expect(workerExecArgv(['--input-type=module', '-e', 'code', '--no-warnings'])).to.deep.equal(['--no-warnings']);
    expect(workerExecArgv(['--eval=x', '-p', 'y', '--watch', '-i'])).to.deep.equal([]);
  });
});

describe('options at a reload', () => {
  it('change where a reload can change them, and are named where it cannot', () => {
    const running = resolveInput({ app: 'a', port: 1, grace: '1s', keepalive: '1s' }, '/');
    const fresh = resolveInput({ app: 'b', port: 2, grace: '2s', keepalive: '2s', backlog: 9 }, '/');
    const { options, ignored } = reloadedOptions(running, fresh);
    expect(options).to.include({ app: '/b', port: 1, graceMs: 2000, keepaliveMs: 2000, backlog: 2048 });
    expect(ignored).to.deep.equal(['port', 'backlog']);
    expect(reloadedOptions(running, running)).to.deep.equal({ options: running, ignored: [] });
  });
});

describe('the platform', () => {
  it('is Linux, macOS for development, and nothing else', () => {
    expect(checkPlatform('linux')).to.deep.equal({});
    expect(checkPlatform('darwin').note).to.contain('development');
    expect(() => checkPlatform('win32'))
      .to.throw('win32')
      .and.to.include({ code: 'UNSUPPORTED_PLATFORM' });
  });

  it('has a fallback for each part of private API: what it costs, and why, a line for each reason', () => {
    expect(fallbacksOf({})).to.deep.equal([]);
    for (const part of privateParts) expect(fallbacksOf({ [part]: 'because' })).to.have.length(1);
    const lines = fallbacksOf({ moving: 'of this', reset: 'of that', rawConnections: 'of this' });
    expect(lines.map(({ reason }) => reason)).to.deep.equal(['of this', 'of that']);
    expect(lines[0]!.message).to.contain('cannot move').and.to.contain('a socket of Node');
  });

  it('has a need of those parts that its addresses use', () => {
    expect(neededParts([{ kind: 'tcp' }]))
      .to.include('tcpSockets')
      .and.not.to.include('unixSockets');
    expect(neededParts([{ kind: 'unix' }]))
      .to.include('unixSockets')
      .and.not.to.include('tcpSockets');
    expect(neededParts([{ kind: 'fd' }])).to.have.members(privateParts);
  });
});

describe('the pid file', () => {
  it('is taken from a living process only by the one that takes its place', async () => {
    const path = join(await tempFolder(), 'pid');
    const other = process.ppid;
    writeFileSync(path, `${other}\n`);
    expect(() => writePidfile(path, 42)).to.throw(`process ${other} is running`);
    expect(() => writePidfile(path, 42, other + 1)).to.throw(`process ${other} is running`);
    writePidfile(path, 42, other);
    expect(readFileSync(path, 'utf8')).to.equal('42\n');
    removePidfile(path, other);
    expect(existsSync(path)).to.equal(true);
  });

  it('is removed only while it is ours', async () => {
    const path = join(await tempFolder(), 'pid');
    writePidfile(path, 42);
    expect(readFileSync(path, 'utf8')).to.equal('42\n');
    writeFileSync(path, '43\n');
    removePidfile(path, 42);
    expect(existsSync(path)).to.equal(true);
    removePidfile(path, 43);
    expect(existsSync(path)).to.equal(false);
    removePidfile(path, 43);
  });

  it('is an option to change when it cannot be written', () => {
    expect(() => writePidfile('/nonexistent/pid'))
      .to.throw('--pidfile /nonexistent/pid')
      .and.to.include({ code: 'BAD_OPTION' });
  });
});

describe('signals', () => {
  const setup = () => {
    const source = new EventEmitter();
    const commands: Command[] = [];
    const clock = { nowMs: 1000 };
    const remove = installSignals(
      (command) => void commands.push(command),
      source,
      () => clock.nowMs,
    );
    return { source, commands, clock, remove };
  };

  it('are commands', () => {
    const { source, commands, remove } = setup();
    for (const signal of [
      'SIGHUP',
      'SIGTERM',
      'SIGQUIT',
      'SIGTTIN',
      'SIGTTOU',
      'SIGUSR1',
      'SIGUSR2',
      'SIGWINCH',
      'SIGINT',
    ])
      source.emit(signal);
    expect(commands).to.deep.equal([
      { type: 'reload' },
      { type: 'stop' },
      { type: 'stop-now' },
      { type: 'scale', change: { by: 1 } },
      { type: 'scale', change: { by: -1 } },
      { type: 'reopen-logs' },
      { type: 'upgrade' },
      { type: 'unsupported', signal: 'SIGWINCH' },
      { type: 'interrupt' },
    ]);
    remove();
    expect(source.eventNames()).to.deep.equal([]);
  });

  it('that one key press sends twice count once', () => {
    const { source, commands, clock } = setup();
    source.emit('SIGINT');
    clock.nowMs += 50;
    source.emit('SIGINT');
    expect(commands).to.have.length(1);
    clock.nowMs += 500;
    source.emit('SIGINT');
    expect(commands).to.have.length(2);
  });
});

describe('the reason of a death', () => {
  const worker = {
    failure: undefined,
    endReason: undefined,
    bootStep: undefined,
    generation: { options: { bootTimeoutMs: 60_000 } },
  };
  const end = { code: null, signal: null };

  it("is the worker's own word, with its stack", () => {
    const failure = { code: 'APP_NOT_CALLABLE', message: 'no function', stack: 'Error: x\n at y' } as const;
    const error = deathError({ ...worker, failure }, { ...end, code: 4 });
    expect(error).to.include({ code: 'APP_NOT_CALLABLE', message: 'no function', exitCode: 4 });
    expect((error.cause as Error).stack).to.equal('Error: x\n at y');
  });

  it('is else how it ended and its last error', () => {
    expect(deathError(worker, { ...end, code: 7 })).to.include({ code: 'WORKERS_CANNOT_BOOT' });
    expect(deathError(worker, { ...end, code: 7 }).message).to.contain('exit code 7');
    expect(deathError(worker, { ...end, signal: 'SIGSEGV' }).message).to.contain('signal SIGSEGV');
    const failure = { message: 'fork failed: EAGAIN' };
    const unborn = deathError({ ...worker, failure }, end).message;
    expect(unborn).to.contain('could not be started').and.to.contain('EAGAIN');
    const late = deathError({ ...worker, endReason: 'boot-timeout' }, { ...end, signal: 'SIGKILL' });
    expect(late.message).to.contain('within 1m (option bootTimeout)');
    const step = deathError({ ...worker, endReason: 'boot-timeout', bootStep: 'warm-up GET /x' }, end);
    expect(step.message).to.match(/it was at: warm-up GET \/x$/);
  });
});
