/**
 * Installs the dependencies when they are missing or package-lock.json has changed. A stamp in node_modules, which is
 * written last, holds a hash of package-lock.json and of the dependencies in package.json. When the stamp is missing but
 * npm's own record shows that every package is installed, as after `npm ci` by hand, only the stamp is written.
 */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { fail, inRoot, runQuietly, say } from './project.mjs';

const stampFile = inRoot('node_modules', '.evy-stamp');
const dependencyKeys = ['dependencies', 'devDependencies', 'peerDependencies', 'optionalDependencies'];

function readJson(...path) {
  try {
    return JSON.parse(readFileSync(inRoot(...path), 'utf8'));
  } catch {
    return undefined;
  }
}

function readStamp() {
  try {
    return readFileSync(stampFile, 'utf8');
  } catch {
    return undefined;
  }
}

const dependenciesOf = (manifest) => dependencyKeys.map((key) => manifest?.[key] ?? {});

/** Native parts are chosen by platform, so a folder shared with another system counts as another state. */
function wantedStamp() {
  const hash = createHash('sha256');
  hash.update(readFileSync(inRoot('package-lock.json')));
  hash.update(JSON.stringify(dependenciesOf(readJson('package.json'))));
  return `${hash.digest('hex')} ${process.platform}-${process.arch}\n`;
}

/** Whether npm's record of node_modules holds every package of the lock file, save those for other platforms. */
function isInstalledByHand() {
  const wanted = readJson('package-lock.json')?.packages ?? {};
  const present = readJson('node_modules', '.package-lock.json')?.packages;
  if (present === undefined) return false;
  if (!isDeepStrictEqual(dependenciesOf(wanted['']), dependenciesOf(readJson('package.json')))) return false;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || (present[path] === undefined ? optional === true : present[path].version === version),
  );
}

/** npm as it was started, so that `npm start` needs no second npm on the PATH. */
function npmCommand() {
  const script = process.env.npm_execpath;
  return script && /npm-cli\.c?js$/.test(script) ? [process.execPath, [script]] : ['npm', []];
}

export function isInstalled() {
  return readStamp() === wantedStamp();
}

export function install() {
  if (isInstalled()) return;
  if (!isInstalledByHand()) {
    say('installing dependencies');
    const [command, prefix] = npmCommand();
    // --include=dev: the compiler is needed even where NODE_ENV is production.
    const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
    if (!runQuietly(command, prefix.concat(args))) {
      fail('the dependencies could not be installed: is the npm registry reachable? npm says why above.');
    }
  }
  const stamp = wantedStamp();
  writeFileSync(`${stampFile}.${process.pid}`, stamp);
  renameSync(`${stampFile}.${process.pid}`, stampFile);
}
