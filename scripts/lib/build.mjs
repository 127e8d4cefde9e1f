/**
 * Builds dist from src when src has changed: the compiler checks the types and writes the declarations, and esbuild bundles the modules into
 * few files, which a process loads in half the time and memory of a file each. Both write beside dist, then each file is moved into place, so
 * that no process reads a file that is half written. Chunks have new names when their contents change, and a process that runs may still
 * import those of the build that it was started from: the files of the previous build stay until the next one. The stamp holds the hash of
 * the sources and the names of the files that were built. It is removed first and written last: a build that was interrupted is repeated.
 */
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fail, inRoot, root, runQuietly, say } from './project.mjs';

const dist = inRoot('dist');
const stampFile = join(dist, '.stamp');

function filesBelow(folder) {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .toSorted();
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

/** What processes and threads start with, and what others import. What several of them need is in chunks that they share. */
const entryPoints = ['index', 'cli', 'cli/config-child', 'worker/entry', 'worker/watchdog/thread'];

async function bundle(outdir) {
  // Not above: this module is loaded before anything is installed.
  const { build: bundleModules } = await import('esbuild');
  await bundleModules({
    absWorkingDir: root,
    entryPoints: entryPoints.map((name) => ({ in: inRoot('src', `${name}.ts`), out: name })),
    outdir,
    // Names say what they said in the sources: stack traces are read by people.
    minify: false,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Of zod only what is used is wanted; its licence goes with it. Of pino everything is used, and by some processes never.
    external: ['pino'],
    chunkNames: 'chunks/[name]-[hash]',
    logLevel: 'error',
  });
  copyFileSync(inRoot('node_modules', 'zod', 'LICENSE'), join(outdir, 'chunks', 'zod.LICENSE'));
}

/** The sources and everything else that decides what the compiler makes of them. */
function wantedHash() {
  const hash = createHash('sha256');
  const settings = ['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'].map((name) =>
    inRoot(name),
  );
  settings.push(fileURLToPath(import.meta.url));
  for (const file of [...filesBelow(inRoot('src')), ...settings]) {
    const bytes = readFileSync(file);
    hash.update(`${relative(root, file)} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest('hex');
}

function readStamp() {
  try {
    const [hash, ...names] = readFileSync(stampFile, 'utf8').trimEnd().split('\n');
    return { hash, names };
  } catch {
    return undefined;
  }
}

export function isBuilt() {
  return readStamp()?.hash === wantedHash();
}

/** The names, below dist, of the files of the last build. */
export function builtFiles() {
  return readStamp()?.names ?? [];
}

function keepOnly(names) {
  const kept = new Set(['.stamp', ...names]);
  for (const file of filesBelow(dist)) if (!kept.has(relative(dist, file))) rmSync(file);
}

/** Removes what earlier builds left in dist. Only for packing: a process that was started from an earlier build may need those files. */
export function removeOlderBuilds() {
  keepOnly(builtFiles());
}

/** Chunks come first in the order of names, so an entry is in place only after the chunks that it imports. */
function moveIntoPlace(made, names) {
  for (const name of names) {
    mkdirSync(dirname(join(dist, name)), { recursive: true });
    renameSync(join(made, name), join(dist, name));
  }
}

/** Only one process at a time may be here (prepare.mjs holds the lock). */
export async function build() {
  if (isBuilt()) return;
  say('building');
  // Taken before the compiler reads: a source saved meanwhile makes the next run build again.
  const hash = wantedHash();
  const made = inRoot('.cache', 'build');
  rmSync(made, { recursive: true, force: true }); // of a build that was cut
  const compiler = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  const compiled = runQuietly(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', made]);
  if (!compiled) fail('the sources do not compile');
  await bundle(made);
  const names = filesBelow(made).map((file) => relative(made, file));
  // Unknown after a build that was interrupted: then nothing is removed until the next build.
  const previous = readStamp()?.names;
  rmSync(stampFile, { force: true });
  moveIntoPlace(made, names);
  if (previous !== undefined) keepOnly([...names, ...previous]);
  rmSync(made, { recursive: true, force: true });
  // `npx evy` inside of the checkout runs the file itself.
  chmodSync(join(dist, 'cli.js'), 0o755);
  writeFileSync(`${stampFile}.new`, `${[hash, ...names].join('\n')}\n`);
  renameSync(`${stampFile}.new`, stampFile);
}
