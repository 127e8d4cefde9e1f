/** What the trials of private API share: a server to connect to, and deadlines. */
import { randomUUID } from 'node:crypto';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const deadlineMs = 5_000;

/** Rejects with `complaint` when `promise` takes too long. */
export function within<T>(promise: Promise<T>, complaint: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(complaint)), deadlineMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** A few turns of the event loop: what the kernel has to tell is told within them. */
export async function turns(): Promise<void> {
  for (let count = 0; count < 3; count += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** A unix socket's path; on Linux a name without a file, since there may be no folder to write to. */
export function trialPath(): string {
  const name = `evy-${randomUUID()}`;
  return process.platform === 'linux' ? `\0${name}` : join(tmpdir(), name);
}

export type TrialAddress = { port: number; host: string } | { path: string };

/** Runs `trial` with a server that listens, and closes it. The server's connections may be half open. */
export async function withServer(
  trial: (server: net.Server, where: TrialAddress) => Promise<void>,
  kind: 'tcp' | 'unix',
): Promise<void> {
  const server = net.createServer({ allowHalfOpen: true });
  const where: TrialAddress = kind === 'tcp' ? { host: '127.0.0.1', port: 0 } : { path: trialPath() };
  try {
    // Exclusive: else node:cluster would ask the primary for it.
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
