/** Asks workers that lost their master, and serve on all the same, for an address. */
import { readdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { formatWanted, hasOrphanFolder, orphanFolder } from '../../shared/orphan-call.ts';
import type { WantedAddress } from '../../shared/orphan-call.ts';
import type { Bind } from './bind-address.ts';
import type { BoundAddress } from './bound-address.ts';

/** One that is stuck does not answer; then the address stays in use. */
const answerWithinMs = 3_000;

export function wantedAddress(bind: Bind): WantedAddress | undefined {
  if (bind.kind === 'fd') return undefined;
  return bind.kind === 'tcp' ? { host: bind.host, port: bind.port } : { path: resolve(bind.path) };
}

/** Whether this one has let go of the address. */
function dismiss(path: string, wanted: WantedAddress): Promise<boolean> {
  return new Promise((answer) => {
    let text = '';
    const socket = connect(path, () => socket.write(formatWanted(wanted)));
    socket.setEncoding('utf8');
    socket.setTimeout(answerWithinMs, () => socket.destroy());
    socket.on('data', (piece: string) => (text += piece));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => {
      // It was killed, and has left its file.
      if (code === 'ECONNREFUSED') rmSync(path, { force: true });
    });
    socket.on('close', () => answer(text.startsWith('left')));
  });
}

/** Resolves with how many have let go of it. */
export async function dismissOrphans(wanted: WantedAddress, folder = orphanFolder): Promise<number> {
  if (!hasOrphanFolder(folder)) return 0;
  const paths = readdirSync(folder).map((name) => join(folder, name));
  const answers = await Promise.all(paths.map((path) => dismiss(path, wanted)));
  return answers.filter((left) => left).length;
}

/** Workers become orphans, and can be found, a moment after their master's death; a busy one later. */
const lookAfterMs = [100, 1_000, 5_000] as const;

/** A master has died before it could hand over: its workers are not to serve beside those of `addresses` for ever. */
export async function dismissLateOrphans(addresses: readonly BoundAddress[], folder = orphanFolder): Promise<void> {
  for (const waitMs of lookAfterMs) {
    await setTimeout(waitMs, undefined, { ref: false });
    for (const { host, port, path } of addresses) {
      if (host !== undefined && port !== undefined) await dismissOrphans({ host, port }, folder);
      else if (path !== undefined) await dismissOrphans({ path }, folder);
    }
  }
}
