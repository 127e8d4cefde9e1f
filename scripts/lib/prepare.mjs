/** Installs and builds what every command needs first. When both are up to date, it does nothing and takes no lock. */
import { build, isBuilt } from './build.mjs';
import { install, isInstalled } from './install.mjs';
import { withLock } from './lock.mjs';
import { fail } from './project.mjs';

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19))
    fail(`Node 20.19 or later is needed, this is ${process.versions.node}`);
}

export async function prepareDependencies() {
  checkNode();
  if (!isInstalled()) await withLock(install);
}

export async function prepare() {
  await prepareDependencies();
  if (!isBuilt()) await withLock(build);
}
