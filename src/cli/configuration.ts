/**
 * Combines all layers into the configuration that the command serves. It is called at the start and at each reload. A
 * reload reads the file again; flags and variables are those of the start.
 */
import { resolveOptions, type Layer, type Resolved } from '../shared/options/resolve.ts';
import type { CommandLine } from './command-line.ts';
import { findConfigFile, readConfigFile } from './config-file.ts';
import { environmentLayer, type Environment } from './environment.ts';

export interface Configuration extends Resolved {
  /** path of the configuration file; undefined when there is none */
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
