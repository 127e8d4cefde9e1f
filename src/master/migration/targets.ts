/** To whom a moving connection goes: of the ready workers of the newest generation, to the one with the fewest connections. */
import type { MasterToWorker } from '../../shared/messages.ts';
import type { PassedHandle } from '../../shared/node-private.ts';

/** One end of a channel on which connections move: a worker, or another master, behind whom its workers are. */
export interface Party {
  send(message: MasterToWorker, handle?: PassedHandle, done?: (error: Error | null) => void): void;
}

export interface Target extends Party {
  readonly generation: { readonly number: number };
  /** connections, as far as it is known */
  readonly connections: number;
  /** one more is on its way there */
  noteConnection(): void;
}

export function pickTarget(targets: readonly Target[], origin: Party): Target | undefined {
  let best: Target | undefined;
  for (const target of targets) {
    if (target === origin) continue;
    const lead = best === undefined ? 1 : target.generation.number - best.generation.number;
    if (lead > 0 || (lead === 0 && target.connections < best!.connections)) best = target;
  }
  return best;
}
