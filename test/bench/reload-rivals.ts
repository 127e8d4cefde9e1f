/**
 * Who is reloaded by the work `reload`: two workers each, that answer with the load client's id. Each row says how one is started
 * and told to reload; whether it is over is seen from outside, by the processes.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import getPort from 'get-port';
import { builtCommand, fixture, tempFolder } from '../helpers/files.ts';
import { waitFor } from '../helpers/wait-for.ts';

export const workers = 2;

/** A server that runs. */
export interface Reloadable {
  port: number;
  /** the parent of the workers */
  pid: number;
  reload(): unknown;
  stop(): unknown;
}

export interface ReloadRival {
  name: string;
  /** the program that has to be there */
  needs?: string;
  start(): Promise<Reloadable>;
}

const startsWithinMs = 20_000;
const host = '127.0.0.1';
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, host);
  socket.on('error', () => {});
  const made = new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true)).once('close', () => resolve(false));
  });
  const isMade = await made;
  socket.destroy();
  return isMade;
}

/** A program that reloads at HUP and stops at TERM. */
async function signalled(
  command: string,
  args: readonly string[],
  port: number,
  { cwd, env = {} }: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Reloadable> {
  const options = { env: { ...process.env, ...env }, stdio: 'ignore' as const, ...(cwd === undefined ? {} : { cwd }) };
  const child: ChildProcess = spawn(command, args, options);
  const exit = once(child, 'exit');
  const isUp = () => {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode} instead of listening`);
    return accepts(port);
  };
  await waitFor(`${command} to listen`, isUp, { withinMs: startsWithinMs, everyMs: 50 }).catch((error: unknown) => {
    child.kill('SIGKILL');
    throw error;
  });
  return {
    port,
    pid: child.pid!,
    reload: () => child.kill('SIGHUP'),
    stop: async () => {
      child.kill('SIGTERM');
      await exit;
    },
  };
}

const nginxConfiguration = (folder: string, port: number) => `
daemon off; pid ${folder}/pid; error_log /dev/null; worker_processes ${workers};
events { worker_connections 1024; }
http {
  access_log off; default_type text/plain; keepalive_requests 1000000;
  server {
    listen ${host}:${port};
    location / { add_header X-Pid $pid; return 200 "$http_x_load_id"; }
  }
}`;

const wsgiApplication = `import os
def app(environ, start_response):
    start_response('200 OK', [('Content-Type', 'text/plain'), ('X-Pid', str(os.getpid()))])
    return [environ.get('HTTP_X_LOAD_ID', 'echo').encode()]
`;

async function startPm2(): Promise<Reloadable> {
  const home = await tempFolder();
  const port = await getPort({ host });
  const env = { ...process.env, PM2_HOME: home, PORT: String(port) };
  const pm2 = (...args: string[]) => once(spawn('pm2', args, { env, stdio: 'ignore' }), 'exit');
  await pm2('start', here('./apps/echo-program.mjs'), '-i', String(workers), '--name', 'bench');
  await waitFor('PM2 to listen', () => accepts(port), { withinMs: startsWithinMs, everyMs: 50 });
  const pid = Number(await readFile(join(home, 'pm2.pid'), 'latin1'));
  return { port, pid, reload: () => pm2('reload', 'bench'), stop: () => pm2('kill') };
}

function gunicorn(kind: string): ReloadRival {
  return {
    name: `gunicorn, ${kind}`,
    needs: 'gunicorn',
    async start() {
      const port = await getPort({ host });
      const cwd = await tempFolder({ 'app.py': wsgiApplication });
      const args = ['-w', String(workers), '-k', kind, '--threads', '8', '-b', `${host}:${port}`, 'app:app'];
      return signalled('gunicorn', args, port, { cwd });
    },
  };
}

export const reloadRivals: readonly ReloadRival[] = [
  {
    name: 'evy',
    async start() {
      const port = await getPort({ host });
      const app = fixture('apps', 'echoes-load-id.mjs');
      const args = [builtCommand, '--port', String(port), '--workers', String(workers), '--log-level', 'error', app];
      return signalled(process.execPath, args, port);
    },
  },
  {
    name: 'node:cluster, disconnect',
    async start() {
      const port = await getPort({ host });
      return signalled(process.execPath, [here('./servers/cluster-reload.mjs')], port, { env: { PORT: String(port) } });
    },
  },
  { name: 'PM2', needs: 'pm2', start: startPm2 },
  {
    name: 'nginx',
    needs: 'nginx',
    async start() {
      const port = await getPort({ host });
      const folder = await tempFolder();
      const cwd = await tempFolder({ 'nginx.conf': nginxConfiguration(folder, port) });
      return signalled('nginx', ['-c', join(cwd, 'nginx.conf'), '-p', cwd], port);
    },
  },
  gunicorn('gthread'),
  gunicorn('gevent'),
];

export function isThere({ needs }: ReloadRival): boolean {
  return needs === undefined || spawnSync('which', [needs]).status === 0;
}
