/** A master inside your own program. It handles no signals, does not call process.exit() and writes no log unless you ask for it. */
import { createMaster } from 'evy';

const master = createMaster({
  app: new URL('hello.ts', import.meta.url).href,
  port: Number(process.env['PORT'] ?? 8080),
  workers: 2,
  grace: '10s',
});

master.on('worker:ready', ({ worker, pid, generation }) => {
  console.log(`worker ${worker} is ready (process ${pid}, generation ${generation})`);
});
master.on('worker:exit', ({ worker, code, signal }) => console.log(`worker ${worker} ended with ${signal ?? code}`));

const { addresses } = await master.start();

const { generation, replaced } = await master.reload();
console.log(`reloaded: ${replaced} workers replaced, generation ${generation}`);

await master.scale(3);
console.log(`${master.status().wantedWorkers} workers serve on http://${addresses[0]?.name}/; Ctrl-C stops them`);

process.once('SIGINT', () => {
  void master.stop().then(() => console.log('stopped'));
});
