/** A worker without a master that serves on: until a new master wants one of its addresses. */
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { isInTheWay, makeOrphanFolder, orphanFolder, parseWanted } from '../../shared/orphan-call.ts';
import type { OrphanAnswer } from '../../shared/orphan-call.ts';
import { toError } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { Configuration } from './boot.ts';

/** A line is short; who sends more is not a master. */
const longestLine = 4_096;
const lineWithinMs = 5_000;

export interface Orphanhood {
  /** nobody is to find this worker any more */
  end(): void;
}

/**
 * Can be found from now on. `onWanted` is called when one of `names` is wanted, and must let go of the addresses before it returns.
 * Rejects when there is no place to be found at.
 */
export async function beFound(
  names: readonly string[],
  onWanted: () => void,
  folder = orphanFolder,
): Promise<Orphanhood> {
  makeOrphanFolder(folder);
  const path = join(folder, `${process.pid}.sock`);
  // One that had our number before, and was killed.
  rmSync(path, { force: true });
  const server: Server = createServer((socket) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(lineWithinMs, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('data', (piece: string) => {
      text += piece;
      if (text.length > longestLine) socket.destroy();
      if (!text.includes('\n')) return;
      const wanted = parseWanted(text.slice(0, text.indexOf('\n')));
      const isWanted = wanted !== undefined && names.some((name) => isInTheWay(name, wanted));
      if (isWanted) onWanted();
      const answer: OrphanAnswer = isWanted ? 'left' : 'stays';
      socket.end(`${answer}\n`);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    // Exclusive: else node:cluster would ask the master for it, who is dead.
    server.listen({ path, exclusive: true }, resolve);
  });
  server.unref();
  return { end: () => void server.close() };
}

/** Whether it is wanted, and this worker accepts by itself. */
export function mayServeAlone({ orphans, binds }: Configuration): boolean {
  return orphans === 'serve' && binds.every(({ fd }) => fd !== undefined);
}

/** Where it cannot be found it leaves at once: a new master could never bind. */
export async function serveAlone(
  { binds }: Configuration,
  log: Logger,
  leave: () => void,
): Promise<Orphanhood | undefined> {
  try {
    return await beFound(
      binds.map(({ name }) => name),
      leave,
    );
  } catch (thrown) {
    log.error('worker.failed', { message: `cannot serve without a master: ${toError(thrown).message}` });
    leave();
    return undefined;
  }
}
