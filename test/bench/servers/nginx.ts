/** nginx with one worker, for reference: it runs no application, it only answers. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import getPort from 'get-port';
import { answerParent, type ServerProtocol } from '../child.ts';
import { blob } from '../works.ts';

const folder = mkdtempSync(join(tmpdir(), 'evy-bench-nginx-'));
const port = await getPort({ host: '127.0.0.1' });
writeFileSync(join(folder, 'blob'), blob);
writeFileSync(
  join(folder, 'nginx.conf'),
  `daemon off; master_process off; pid ${folder}/pid; error_log /dev/null;
events { worker_connections 4096; }
http {
  access_log off; default_type text/plain; keepalive_requests 1000000000; keepalive_timeout 3600s;
  server {
    listen 127.0.0.1:${port}; root ${folder};
    location /hello { return 200 "Hello, World!\\r\\n"; }
    location /blob { default_type application/octet-stream; }
  }
}`,
);
const server = spawn('nginx', ['-c', join(folder, 'nginx.conf'), '-p', folder], { stdio: 'ignore' });

async function isUp(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
for (let tries = 0; tries < 50 && !(await isUp()); tries += 1) await sleep(50);

answerParent<ServerProtocol>({ port: () => port }, () => {
  server.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
