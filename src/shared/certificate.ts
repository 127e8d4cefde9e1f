/**
 * Reads certificate and key, and checks them as a pair. The master does this before any worker gets them, so a wrong
 * file is one clear line at the start, or one failed reload.
 */
import { readFile } from 'node:fs/promises';
import { EvyError } from './errors.ts';
import { nodeTls } from './lazy-node.ts';
import type { Options } from './options/table.ts';

async function read(option: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new EvyError('BAD_CERTIFICATE', `--${option} ${path}: the file cannot be read (${code ?? 'unknown'})`, {
      cause,
    });
  }
}

function attempt(contents: { cert?: Buffer; key?: Buffer }, complaint: string): void {
  try {
    nodeTls().createSecureContext(contents);
  } catch (cause) {
    throw new EvyError('BAD_CERTIFICATE', `${complaint} (${(cause as Error).message})`, { cause });
  }
}

/** @throws {EvyError} BAD_CERTIFICATE, naming the option and the file */
export async function readCertificate({
  certfile,
  keyfile,
}: Pick<Options, 'certfile' | 'keyfile'>): Promise<{ cert: Buffer; key: Buffer }> {
  if (certfile === '') throw new EvyError('BAD_CERTIFICATE', '--bind with tls: needs --certfile and --keyfile');
  if (keyfile === '')
    throw new EvyError(
      'BAD_CERTIFICATE',
      `--certfile ${certfile} needs the private key of the certificate in --keyfile`,
    );
  const cert = await read('certfile', certfile);
  const key = await read('keyfile', keyfile);
  // Each file is checked alone first, so that the message names the right one.
  attempt({ cert }, `--certfile ${certfile}: the file must hold a certificate in PEM`);
  attempt({ key }, `--keyfile ${keyfile}: the file must hold an unencrypted private key in PEM`);
  attempt({ cert, key }, `--certfile ${certfile} and --keyfile ${keyfile}: the key is not that of the certificate`);
  return { cert, key };
}
