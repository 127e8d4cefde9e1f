/** `node:cluster` with two workers of `node:http`; the argument is how connections are shared: `rr` or `none`. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { listeners } from '../apps/node-http.ts';
import { answerParent, type ServerProtocol } from '../child.ts';
import type { Job } from '../works.ts';

if (cluster.isPrimary) {
  cluster.schedulingPolicy = process.argv[2] === 'none' ? cluster.SCHED_NONE : cluster.SCHED_RR;
  const workers = [cluster.fork(), cluster.fork()];
  const listening = await Promise.all(workers.map((worker) => once(worker, 'listening')));
  const { port } = (listening[0] as [{ port: number }])[0];
  answerParent<ServerProtocol>({ port: () => port }, () => {
    for (const worker of workers) worker.process.kill('SIGKILL');
  });
} else {
  createServer(listeners[process.env['BENCH_JOB'] as Job]).listen(0, '127.0.0.1');
}
