/** Bun's own server, for reference; the script runs under Bun, its port comes over standard output. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { answerParent, type ServerProtocol } from '../child.ts';
import { greeting } from '../works.ts';

const script = `const blob = new Uint8Array(65536).fill(98);
const server = Bun.serve({ port: 0, hostname: '127.0.0.1', idleTimeout: 0, async fetch(request) {
  if (request.method === 'POST') return new Response(await request.text());
  return new Response(request.url.endsWith('/blob') ? blob : ${JSON.stringify(greeting)}, { headers: { 'Content-Type': 'text/plain' } });
} });
console.log(server.port);`;
const server = spawn('bun', ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
const [line] = (await once(server.stdout, 'data')) as [Buffer];

answerParent<ServerProtocol>({ port: () => Number(line.toString()) }, () => server.kill('SIGKILL'));
