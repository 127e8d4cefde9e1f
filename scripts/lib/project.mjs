/**
 * Where things are, and two small tools that every script needs. Plain JavaScript with nothing but Node's own modules,
 * since these scripts run on a fresh clone before anything is installed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const inRoot = (...parts) => join(root, ...parts);

export const say = (text) => console.log(`evy: ${text}`);

/** Ends the script with one clear message. */
export function fail(text) {
  console.error(`evy: ${text}`);
  process.exit(1);
}

/** Runs a program without showing its output, unless it fails: then all of it is shown. Returns whether it succeeded. */
export function runQuietly(command, args) {
  const { status, signal, error, stdout, stderr } = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status === 0) return true;
  process.stdout.write(stdout ?? '');
  process.stderr.write(stderr ?? '');
  if (error) console.error(`evy: ${command} could not be run: ${error.message}`);
  if (signal) console.error(`evy: ${command} was ended by ${signal}`);
  return false;
}

/**
 * What a signal to a script becomes for the program that it runs. A terminal's Ctrl-C reaches both, as members of one
 * process group, and npm sends its scripts another INT: passed on as it is, it would reach a server twice, which means
 * "at once". TERM says the same as the first INT, and may come more than once.
 */
const passedOn = {
  SIGINT: 'SIGTERM',
  SIGTERM: 'SIGTERM',
  SIGQUIT: 'SIGQUIT',
  SIGHUP: 'SIGHUP',
  SIGUSR1: 'SIGUSR1',
  SIGUSR2: 'SIGUSR2',
  SIGTTIN: 'SIGTTIN',
  SIGTTOU: 'SIGTTOU',
};

/** Runs a program on this script's terminal, in its place as far as signals go; resolves with its exit code. */
export function run(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit', ...options });
    const handlers = Object.entries(passedOn).map(([from, to]) => [from, () => child.kill(to)]);
    for (const [signal, handler] of handlers) process.on(signal, handler);
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      for (const [name, handler] of handlers) process.off(name, handler);
      resolve(code ?? 128 + constants.signals[signal]);
    });
  });
}
