/**
 * One script at a time may install or build: a file that names its holder. It is made complete under another name and
 * then linked, so that nobody ever reads half of it, and a holder that died is recognised by its process id.
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
