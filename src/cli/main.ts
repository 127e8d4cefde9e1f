/**
 * Dispatches the command's action. All input and output goes through `Surroundings`, so a test can run it without a
 * process. The serving code is loaded only for `serve`, which keeps `--help` fast.
 */
import { readFileSync } from 'node:fs';
import { checkConfig } from './check-config.ts';
import { parseCommandLine } from './command-line.ts';
import { readConfiguration } from './configuration.ts';
import { errorText, exitCodeOf } from './error-text.ts';
import { helpText } from './help.ts';
import { printedConfig } from './print-config.ts';
import { tellPreviousMasterOfFailure } from '../master/upgrade/previous-master.ts';
import { manifestFile } from '../shared/own-files.ts';
import type { Surroundings } from './serve.ts';

function packageVersion(): string {
  const manifest = readFileSync(manifestFile, 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

async function act(args: readonly string[], surroundings: Surroundings): Promise<number> {
  const { environment, folder, stdout, signals } = surroundings;
  const commandLine = parseCommandLine(args, folder);
  const { action } = commandLine;
  if (action !== 'serve') signals.release();
  if (action === 'help') {
    stdout(helpText());
    return 0;
  }
  if (action === 'version') {
    stdout(`evy ${packageVersion()} (Node ${process.versions.node})\n`);
    return 0;
  }
  const read = readConfiguration(commandLine, environment, folder);
  const configuration = await (action === 'serve' ? Promise.race([read, signals.stopRequest]) : read);
  // Reading a configuration file may take long, and nothing is open yet.
  if (configuration === 'stop') return 0;
  if (action === 'print-config') {
    stdout(printedConfig(configuration));
    return 0;
  }
  if (action === 'check-config') {
    await checkConfig(configuration.options, environment, folder);
    stdout('the configuration is valid\n');
    return 0;
  }
  const { serve } = await import('./serve.ts');
  return serve(configuration, () => readConfiguration(commandLine, environment, folder), surroundings);
}

/** Resolves with the exit code when the command is done. */
export async function main(args: readonly string[], surroundings: Surroundings): Promise<number> {
  try {
    return await act(args, surroundings);
  } catch (error) {
    tellPreviousMasterOfFailure(error);
    surroundings.stderr(errorText(error));
    return exitCodeOf(error);
  }
}
