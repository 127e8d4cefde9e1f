/**
 * A lock that lets one script at a time install or build. The lock file contains the process id of its holder. It is
 * written under another name and then linked, so that no process reads a partial file; a lock whose holder has died is
 * removed.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { inRoot, say } from './project.mjs';

const folder = inRoot('.cache');
const lockFile = inRoot('.cache', 'prepare.lock');
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function holder() {
  try {
    return Number(readFileSync(lockFile, 'utf8'));
  } catch {
    return undefined;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function tryToTake() {
  const own = `${lockFile}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    linkSync(own, lockFile);
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(own, { force: true });
  }
}

/** Runs `work` while no other script of this checkout is inside of `withLock`. */
export async function withLock(work) {
  mkdirSync(folder, { recursive: true });
  let told = false;
  while (!tryToTake()) {
    const pid = holder();
    if (pid !== undefined && !isAlive(pid)) {
      rmSync(lockFile, { force: true });
      continue;
    }
    if (!told) say(`waiting for process ${pid}, which is installing or building`);
    told = true;
    await pause(200);
  }
  const release = () => rmSync(lockFile, { force: true });
  process.once('exit', release);
  try {
    return await work();
  } finally {
    process.off('exit', release);
    release();
  }
}
