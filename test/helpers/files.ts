/** Temporary folders, removed when the test is over, and the paths of the checkout that tests need. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onEnd } from './cleanup.ts';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));
export const builtCommand = join(projectRoot, 'dist', 'cli.js');
/** Absolute path of something in test/fixtures. */
export const fixture = (...path: string[]): string => join(projectRoot, 'test', 'fixtures', ...path);

/** Writes files below a folder: names (which may hold slashes) to contents. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}

/** Makes a folder with these files in it. Its path is short, since that of a unix socket may have 107 bytes only. */
export async function tempFolder(files: Readonly<Record<string, string | Uint8Array>> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'evy-'));
  onEnd(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  await writeFiles(folder, files);
  return folder;
}

export const readText = (path: string): Promise<string> => readFile(path, 'utf8');
