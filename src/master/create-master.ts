/**
 * `createMaster()` embeds a master in a program. It takes options as people write them, and changes nothing
 * process-wide unless asked to.
 */
import { EvyError } from '../shared/errors.ts';
import { createLogger } from '../shared/log/log.ts';
import type { Logger } from '../shared/log/log.ts';
import { resolveInput } from '../shared/options/input.ts';
import type { OptionsInput } from '../shared/options/table.ts';
import { Master } from './master.ts';

export interface EmbeddingOptions extends OptionsInput {
  /** whether signals to this process control this master (HUP reloads, TERM and INT stop); false by default */
  signals?: boolean;
  /** true: log as the options logLevel, logStyle and logFile say; false (the default): no log; or a logger to use */
  log?: boolean | Logger;
  /** returns the options at each reload, within ten seconds; without it a reload only loads the application again */
  onReload?: () => OptionsInput | Promise<OptionsInput>;
}

/** the same time that a configuration file has */
const reloadWithinMs = 10_000;

/** Resolves with the result of `onReload`. @throws {EvyError} ON_RELOAD_TIMEOUT */
export async function askAnew(
  onReload: NonNullable<EmbeddingOptions['onReload']>,
  withinMs = reloadWithinMs,
): Promise<OptionsInput> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new EvyError(
      'ON_RELOAD_TIMEOUT',
      `onReload() did not return its options within ${withinMs / 1000} s`,
    );
    timer = setTimeout(() => reject(error), withinMs);
  });
  try {
    return await Promise.race([onReload(), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Creates a master, which does nothing until `start()`. @throws {EvyError} BAD_OPTION */
export function createMaster(given: EmbeddingOptions): Master {
  const { signals = false, log = false, onReload, ...input } = given;
  const options = resolveInput(input);
  const { logLevel: level, logStyle: style, logFile: file } = options;
  const logger = log === true ? createLogger({ level, style, file }) : log || undefined;
  return new Master({
    options,
    signals,
    ...(logger && { logger }),
    ...(onReload && { resolve: async () => resolveInput(await askAnew(onReload)) }),
  });
}
