/** Runs the command in this process, with its arguments, streams and exit code. */
import { logicalDirectory } from '../master/generations/release.ts';
import type { HeldSignals } from '../shared/held-signals.ts';
import { main } from './main.ts';

const streams = [process.stdout, process.stderr] as const;

/** Resolves when earlier output has been written: outside Linux, pipes are written asynchronously. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve());
  });
}

export async function runCommand(signals: HeldSignals): Promise<never> {
  // The reader may close its end early (`evy --help | head -1`); the resulting error must not end a server.
  for (const stream of streams) stream.on('error', () => {});
  const code = await main(process.argv.slice(2), {
    environment: process.env,
    folder: logicalDirectory(),
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    interactive: process.stdout.isTTY,
    signals,
  });
  await Promise.all(streams.map(written));
  // exit() instead of an empty event loop: when the loop becomes empty, libuv removes the files of unix sockets, which
  // may by now belong to another master.
  process.exit(code);
}
