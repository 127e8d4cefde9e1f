/**
 * All layers together: what the command serves. Called at the start and again at each reload, when the file is read
 * anew; flags and variables are those of the start.
 */
import { resolveOptions, type Layer, type Resolved } from '../shared/options/resolve.ts';
import type { CommandLine } from './command-line.ts';
import { findConfigFile, readConfigFile } from './config-file.ts';
import { environmentLayer, type Environment } from './environment.ts';

export interface Configuration extends Resolved {
  /** undefined when there is none */
  configFile: string | undefined;
}

/** @throws {EvyError} BAD_OPTION, BAD_CONFIG, NO_TYPESCRIPT */
export async function readConfiguration(
  commandLine: CommandLine,
  environment: Environment,
  folder: string,
): Promise<Configuration> {
  const configFile = findConfigFile(commandLine.configFile, folder);
  const layers: Layer[] = configFile === undefined ? [] : [await readConfigFile(configFile, folder)];
  layers.push(environmentLayer(environment, folder).layer, commandLine.layer);
  return { ...resolveOptions(layers), configFile };
}
