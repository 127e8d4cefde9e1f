/** The action `serve`: runs a master with these options until it is told to stop. */
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { Master } from '../master/master.ts';
import { parseAccessTarget } from '../shared/options/access-target.ts';
import { EvyError } from '../shared/errors.ts';
import { createLogger, type Logger } from '../shared/log/log.ts';
import type { Options } from '../shared/options/table.ts';
import { banner } from './banner.ts';
import type { Configuration } from './configuration.ts';
import { environmentLayer, type Environment } from './environment.ts';
import type { HeldSignals } from '../shared/held-signals.ts';

/** The command's input and output outside its process; a test passes its own. */
export interface Surroundings {
  environment: Environment;
  /** the working directory as the shell knows it, symbolic links kept */
  folder: string;
  stdout: (text: string) => void;
  stderr: (text: string) => void;
  /** whether standard output is a terminal */
  interactive: boolean;
  /** signals that arrived while the command was loaded */
  signals: HeldSignals;
}

function refuseLog(option: string, file: string, cause: unknown): never {
  const { code, message } = cause as NodeJS.ErrnoException;
  throw new EvyError('BAD_OPTION', `option ${option}: the file ${file} cannot be written (${code ?? message})`, {
    cause,
  });
}

/** A running server tolerates a log that cannot be written; at the start it is an error. */
function checkLogFile(option: string, file: string): void {
  if (file === '') return;
  try {
    closeSync(openSync(file, 'a'));
  } catch (cause) {
    refuseLog(option, file, cause);
  }
}

function openLog({ logLevel: level, logStyle: style, logFile: file, accessLog }: Options): Logger {
  checkLogFile('logFile', file);
  const target = parseAccessTarget(accessLog);
  if (target?.kind === 'file') checkLogFile('accessLog', target.path);
  try {
    return createLogger({ level, style, file });
  } catch (cause) {
    return refuseLog('logFile', file, cause);
  }
}

/** Resolves with the exit code when the master has stopped. @throws {EvyError} when it cannot start */
export async function serve(
  configuration: Configuration,
  reread: () => Promise<Configuration>,
  { environment, folder, stdout, interactive, signals }: Surroundings,
): Promise<number> {
  const { options } = configuration;
  const logger = openLog(options);
  for (const { variable, meant } of environmentLayer(environment, folder).suspects) {
    logger.warn('option.ignored', { variable, message: `${variable} is not an option; did you mean ${meant}?` });
  }
  const resolve = async (): Promise<Options> => (await reread()).options;
  const master = new Master({ options, resolve, logger, signals: true });
  const stopped = once(master, 'stopped');
  try {
    const started = master.start();
    signals.passOn();
    const { addresses } = await started;
    if (interactive || options.logStyle === 'human') {
      const names = addresses.map(({ name, tls }) => (tls ? `tls:${name}` : name));
      stdout(banner({ addresses: names, workers: master.status().wantedWorkers, masterPid: process.pid }));
    }
  } catch (error) {
    // Ctrl-C before the server was ready is not an error.
    if (error instanceof EvyError && error.code === 'STOPPING') return 0;
    throw error;
  }
  await stopped;
  return 0;
}
