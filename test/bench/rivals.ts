/** Who is measured: one row a server, ours first. Those that are not installed are left out, with a line that says so. */
import { spawnSync } from 'node:child_process';
import type { Job, Work } from './works.ts';

export interface Rival {
  name: string;
  file: string;
  argument?: string;
  jobs: readonly Job[];
  /** whether it has worker processes */
  hasWorkers: boolean;
  /** the program that has to be there */
  needs?: readonly [command: string, ...args: string[]];
}

const all: readonly Job[] = ['hello', 'echo', 'blob', 'stream'];
const one = { jobs: all, hasWorkers: false } as const;

export const rivals: readonly Rival[] = [
  { ...one, name: 'evy', file: './servers/evy.ts' },
  { ...one, name: 'node:http', file: './servers/node-http.ts' },
  {
    ...one,
    name: 'node:http, same work',
    file: './servers/node-http.ts',
    argument: 'same-work',
    jobs: ['hello', 'echo'],
  },
  { ...one, name: 'Fastify', file: './servers/fastify.ts' },
  { ...one, name: '@hono/node-server', file: './servers/hono.ts' },
  { ...one, name: 'nginx', file: './servers/nginx.ts', jobs: ['hello', 'blob'], needs: ['nginx', '-v'] },
  { ...one, name: 'Bun', file: './servers/bun.ts', jobs: ['hello', 'echo', 'blob'], needs: ['bun', '--version'] },
  { name: 'evy', file: './servers/evy-workers.ts', jobs: all, hasWorkers: true },
  { name: 'node:cluster', file: './servers/node-cluster.ts', argument: 'rr', jobs: all, hasWorkers: true },
  {
    name: 'node:cluster, SCHED_NONE',
    file: './servers/node-cluster.ts',
    argument: 'none',
    jobs: all,
    hasWorkers: true,
  },
];

const isThere = new Map<string, boolean>();

function isInstalled({ needs, name }: Rival): boolean {
  if (needs === undefined) return true;
  const [command, ...args] = needs;
  if (!isThere.has(name)) {
    isThere.set(name, spawnSync(command, args).status === 0);
    if (!isThere.get(name)) console.log(`${name}: not found on this machine, left out\n`);
  }
  return isThere.get(name)!;
}

/** Those that can do the work: with workers where each request has its own connection, else single processes. */
export function rivalsFor(work: Work): Rival[] {
  return rivals.filter((rival) => {
    return rival.hasWorkers === work.fresh && rival.jobs.includes(work.job) && isInstalled(rival);
  });
}
