/** What every command needs first: the dependencies and the build. Does nothing, and waits for nobody, when both are there. */
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
