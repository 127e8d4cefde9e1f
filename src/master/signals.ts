/**
 * Turns signals to the master into commands. A handler only puts a command into the queue.
 *
 * One press of Ctrl-C may arrive twice: the terminal sends SIGINT to the whole foreground group, and npm passes its own on to
 * its child as well. So an INT within `sameKeyPressMs` of another one is the same key press.
 */
import type { Command } from './loop/commands.ts';

export const sameKeyPressMs = 200;

const commands: Readonly<Partial<Record<NodeJS.Signals, Command>>> = {
  SIGHUP: { type: 'reload' },
  SIGTERM: { type: 'stop' },
  SIGQUIT: { type: 'stop-now' },
  SIGTTIN: { type: 'scale', change: { by: 1 } },
  SIGTTOU: { type: 'scale', change: { by: -1 } },
  SIGUSR1: { type: 'reopen-logs' },
  SIGUSR2: { type: 'upgrade' },
  SIGWINCH: { type: 'unsupported', signal: 'SIGWINCH' },
};

/** The source of signals: `process`, or an emitter in a test. */
export interface SignalSource {
  on(signal: NodeJS.Signals, handler: () => void): unknown;
  off(signal: NodeJS.Signals, handler: () => void): unknown;
}

/** Returns a function that removes the handlers again. */
export function installSignals(
  push: (command: Command) => void,
  source: SignalSource = process,
  nowMs: () => number = () => performance.now(),
): () => void {
  let lastInterruptMs = -Infinity;
  const handlers: Array<[NodeJS.Signals, () => void]> = [
    [
      'SIGINT',
      () => {
        const sinceMs = nowMs() - lastInterruptMs;
        lastInterruptMs = nowMs();
        if (sinceMs >= sameKeyPressMs) push({ type: 'interrupt' });
      },
    ],
  ];
  const said = new Set<string>();
  for (const [signal, command] of Object.entries(commands)) {
    const handler = (): void => {
      // A terminal sends WINCH at each resize, so only the first one is logged as ignored.
      if (command.type !== 'unsupported' || !said.has(signal)) push(command);
      said.add(signal);
    };
    handlers.push([signal as NodeJS.Signals, handler]);
  }
  for (const [signal, handler] of handlers) source.on(signal, handler);
  return () => {
    for (const [signal, handler] of handlers) source.off(signal, handler);
  };
}
