/** The command in this process: its arguments, its streams, its exit code. */
import { logicalDirectory } from '../master/generations/release.ts';
import type { HeldSignals } from '../shared/held-signals.ts';
import { main } from './main.ts';

const streams = [process.stdout, process.stderr] as const;

/** Resolves when what was written before is on its way: outside of Linux, pipes are written asynchronously. */
async function written(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.write('', () => resolve());
  });
}

export async function runCommand(signals: HeldSignals): Promise<never> {
  // Who closed the other end (`evy --help | head -1`) has seen enough; a server must not end of it.
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
  // Exits rather than waits for an empty event loop: a loop that runs empty removes the files of unix sockets, which may
  // by now belong to another master.
  process.exit(code);
}
