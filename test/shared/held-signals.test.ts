import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { handledSignals, HeldSignals } from '../../src/shared/held-signals.ts';
import { projectRoot } from '../helpers/files.ts';

describe('signals that come while a process starts', () => {
  function holding() {
    const source = new EventEmitter();
    const signals = new HeldSignals(source);
    const send = (signal: NodeJS.Signals) => void source.emit(signal, signal);
    return { source, signals, send };
  }

  it('reach their listeners later, in their order', () => {
    const { source, signals, send } = holding();
    handledSignals.forEach(send);
    const seen: string[] = [];
    for (const signal of handledSignals) source.on(signal, () => seen.push(signal));
    signals.passOn();
    expect(seen).to.deep.equal([...handledSignals]);
  });

  it('reach them once, also when they come between the listener and passOn()', () => {
    const { source, signals, send } = holding();
    let times = 0;
    source.on('SIGHUP', () => (times += 1));
    send('SIGHUP');
    signals.passOn();
    expect(times).to.equal(1);
  });

  it('are held although a module that was loaded before listens to them, which receives them once', async () => {
    const source = new EventEmitter();
    const seen: string[] = [];
    source.on('SIGTERM', () => seen.push('stranger'));
    source.once('SIGTERM', () => seen.push('stranger, once'));
    const signals = new HeldSignals(source);
    source.emit('SIGTERM', 'SIGTERM');
    expect(await Promise.race([signals.stopRequest, Promise.resolve('none')])).to.equal('stop');
    source.on('SIGTERM', (signal) => seen.push(`server: ${signal}`));
    source.emit('SIGTERM', 'SIGTERM');
    const once = ['stranger', 'stranger, once', 'stranger', 'server: SIGTERM'];
    expect(seen).to.deep.equal(once);
    signals.passOn();
    expect(seen).to.deep.equal([...once, 'server: SIGTERM']);
  });

  it('are ignored after passOn() where nobody listens', () => {
    const { source, signals, send } = holding();
    signals.passOn();
    send('SIGHUP');
    signals.release(() => expect.fail('nothing was held'));
    expect(source.listenerCount('SIGHUP')).to.equal(0);
  });

  it('do what they do by default after release()', () => {
    const { source, signals, send } = holding();
    send('SIGTERM');
    const raised: string[] = [];
    signals.release((signal) => {
      expect(source.listenerCount(signal)).to.equal(0);
      raised.push(signal);
    });
    expect(raised).to.deep.equal(['SIGTERM']);
  });

  it('ask for a stop when they stop a server', async () => {
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGTERM'] as const) {
      const { signals, send } = holding();
      send('SIGHUP');
      send(signal);
      expect(await signals.stopRequest).to.equal('stop');
    }
    const { signals, send } = holding();
    send('SIGHUP');
    expect(await Promise.race([signals.stopRequest, Promise.resolve('none')])).to.equal('none');
  });

  /** The files that Node loads before it runs the first line of this one. */
  function staticImports(path: string): string[] {
    const source = readFileSync(path, 'utf8');
    const named = [...source.matchAll(/^import (?!type)(?:.* from )?'(.+)';$/gm)].map((match) => match[1]!);
    return named.map((name) => (name.startsWith('.') ? join(dirname(path), name) : name));
  }

  for (const entry of ['src/cli.ts', 'src/worker/entry.ts']) {
    it(`are held before ${entry} loads anything that takes time`, () => {
      const imports = staticImports(join(projectRoot, entry));
      expect(imports).to.include(join(projectRoot, 'src/shared/held-signals.ts'));
      expect(imports.flatMap(staticImports)).to.deep.equal([]);
    });
  }
});
