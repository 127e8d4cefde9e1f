/**
 * Warns of options that were set and have no effect, since they do not apply to the application's interface. Workers report the
 * interface once they have loaded the application. An operator must not rely on a limit that is not enforced.
 */
import { isDeepStrictEqual } from 'node:util';
import type { InterfaceName } from '../../shared/application.ts';
import type { Logger } from '../../shared/log/log.ts';
import { optionKey, optionRow } from '../../shared/options/names.ts';
import type { OptionName, Options } from '../../shared/options/table.ts';
import type { Generation } from './generation.ts';

/** `node` is served by node:http, with its own reading and writing. */
const without: Readonly<Partial<Record<InterfaceName, readonly OptionName[]>>> = {
  node: [
    'bodyMinRate',
    'maxDiscard',
    'pipelineDepth',
    'maxHttpVersion',
    'minimumChunkSize',
    'capitalizeResponseHeaders',
  ],
};

/** Returns those whose value is not the default. */
export function ignoredOptions(of: InterfaceName, options: Options): OptionName[] {
  return (without[of] ?? []).filter(
    (name) => !isDeepStrictEqual(options[optionKey(name) as keyof Options], optionRow(name).default),
  );
}

/** Warns once per generation. */
export class IgnoredOptions {
  readonly #logger: Logger;
  readonly #told = new WeakSet<Generation>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  workerReady(generation: Generation, of: InterfaceName): void {
    if (this.#told.has(generation)) return;
    this.#told.add(generation);
    for (const option of ignoredOptions(of, generation.options)) {
      this.#logger.warn('option.ignored', { option, message: `this option has no effect for the interface ${of}` });
    }
  }
}
