/** `--check-config`: finds every mistake that can be found without listening and without running the application. */
import { readCertificate } from '../shared/certificate.ts';
import { chooseBinds } from '../master/sockets/chosen-binds.ts';
import { readEnvFile } from '../master/generations/env-file.ts';
import { resolveRelease } from '../master/generations/release.ts';
import type { Options } from '../shared/options/table.ts';
import type { Environment } from './environment.ts';

/** @throws {EvyError} the error that a start with these options would report, as far as it can be found here */
export async function checkConfig(options: Options, environment: Environment, folder: string): Promise<void> {
  await resolveRelease(options, folder);
  await readEnvFile(options.envFile, environment);
  const { binds } = chooseBinds(options, environment, process.pid);
  if (binds.some(({ bind }) => bind.tls)) await readCertificate(options);
}
