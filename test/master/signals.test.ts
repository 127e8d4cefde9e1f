import { EventEmitter } from 'node:events';
import { expect } from 'chai';
import type { Command } from '../../src/master/loop/commands.ts';
import { installSignals } from '../../src/master/signals.ts';

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
