/**
 * For the work `reload`: `node:cluster` with two workers, replaced one after the other at HUP: when the new one listens, the old
 * one disconnects, which lets its requests finish and closes its idle connections.
 */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const workers = 2;
const disconnectWithinMs = 10_000;
cluster.setupPrimary({ exec: fileURLToPath(new URL('../apps/echo-program.mjs', import.meta.url)) });

async function start() {
  const worker = cluster.fork();
  await once(worker, 'listening');
  return worker;
}

async function replace(old) {
  await start();
  const exit = once(old, 'exit');
  old.disconnect();
  const killer = setTimeout(() => old.process.kill('SIGKILL'), disconnectWithinMs);
  await exit;
  clearTimeout(killer);
}

async function replaceAll() {
  for (const old of Object.values(cluster.workers)) await replace(old);
}
process.on('SIGHUP', () => void replaceAll());
process.on('SIGTERM', () => {
  for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGKILL');
  process.exit(0);
});
await Promise.all(Array.from({ length: workers }, start));
