/**
 * Chooses the target of a moving connection: among the ready workers of the newest generation that stays, the one with
 * the fewest connections. A worker that is stopped or blocked accepts nothing, and so would soon have the fewest, so
 * workers that do not answer are skipped.
 */
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { MasterToWorker } from '../../shared/protocol/messages.ts';

/** One end of a channel on which connections move: a worker, or another master with its workers. */
export interface Party {
  readonly connected: boolean;
  send(message: MasterToWorker, handle?: PassedHandle, done?: (error: Error | null) => void): void;
}

export interface Target extends Party {
  readonly generation: { readonly number: number };
  /** its connections, as far as the master knows */
  readonly connections: number;
  /** one more connection has been sent to it */
  noteConnection(): void;
}

/** The workers whose generation stays. Others (their reload was undone, and they leave next) get connections only when no such worker is there. */
export function targetsOf<Worker extends Pick<Target, 'generation'>>(
  open: readonly Worker[],
  wanted: ReadonlySet<number>,
): readonly Worker[] {
  const staying = open.filter(({ generation }) => wanted.has(generation.number));
  return staying.length > 0 ? staying : open;
}

/** `silent` are the parties that owe an answer: they are chosen only when there is no other. */
export function pickTarget(targets: readonly Target[], origin: Party, silent: ReadonlySet<Party>): Target | undefined {
  let best: Target | undefined;
  for (const target of targets) {
    if (target !== origin && (best === undefined || isBetter(target, best, silent))) best = target;
  }
  return best;
}

function isBetter(one: Target, other: Target, silent: ReadonlySet<Party>): boolean {
  if (silent.has(one) !== silent.has(other)) return silent.has(other);
  const lead = one.generation.number - other.generation.number;
  return lead > 0 || (lead === 0 && one.connections < other.connections);
}
