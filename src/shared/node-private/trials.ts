/** Helpers of the probes of private API: a server to connect to, and deadlines. */
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nodeCrypto } from '../lazy-node.ts';

const deadlineMs = 5_000;

/** Rejects with `complaint` when `promise` takes too long. */
export function within<T>(promise: Promise<T>, complaint: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(complaint)), deadlineMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Waits for a few turns of the event loop, within which pending kernel events are delivered. */
export async function turns(): Promise<void> {
  for (let count = 0; count < 3; count += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A path for a unix socket; on Linux an abstract name, since there may be no writable folder. */
export function trialPath(): string {
  const name = `evy-${nodeCrypto().randomUUID()}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), name);
}

export type TrialAddress = { port: number; host: string } | { path: string };

/** Runs `trial` with a listening server, then closes the server. Its connections may be half open. */
export async function withServer(
  trial: (server: net.Server, where: TrialAddress) => Promise<void>,
  kind: 'tcp' | 'unix',
): Promise<void> {
  const server = net.createServer({ allowHalfOpen: true });
  const where: TrialAddress = kind === 'tcp' ? { host: '127.0.0.1', port: 0 } : { path: trialPath() };
  try {
    // Without `exclusive`, node:cluster would ask the primary to listen.
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen({ ...where, exclusive: true }, resolve);
    });
    await trial(
      server,
      kind === 'tcp' ? { host: '127.0.0.1', port: (server.address() as net.AddressInfo).port } : where,
    );
  } finally {
    server.close();
  }
}
