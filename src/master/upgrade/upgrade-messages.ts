/**
 * The vocabulary between an old master and the new one. To the old one the new one is like a worker to which connections
 * move, to the new one the old one is like a worker that retires.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import type { MovingToMaster, MovingToWorker } from '../../shared/protocol/messages.ts';

export type ToSuccessor =
  | Extract<MovingToWorker, { type: 'adopt' | 'sync' }>
  /** the sockets and the name of the master are yours */
  | { type: 'take-over' }
  /** a reload that was asked of the old one while the new one booted */
  | { type: 'reload' };

export type ToPredecessor =
  | Exclude<MovingToMaster, { type: 'move' | 'sync' }>
  /** it serves, on these of the sockets that were left to it; whether connections can move there */
  | { type: 'ready'; keys: string[]; moving: boolean }
  | { type: 'failed'; code: ErrorCode; message: string }
  /** it was told to stop, or another one takes its place in turn: it is not to be replaced */
  | { type: 'leaving' };

const toSuccessor: ReadonlySet<string> = new Set<ToSuccessor['type']>(['adopt', 'sync', 'take-over', 'reload']);
const toPredecessor: ReadonlySet<string> = new Set<ToPredecessor['type']>([
  'adopted',
  'refused',
  'synced',
  'ready',
  'failed',
  'leaving',
]);

/** In an envelope of their own: a program that embeds a master may use the channel, too. */
export function encloseForMaster(message: ToSuccessor | ToPredecessor): object {
  return { evyMaster: message };
}

function open(value: unknown, types: ReadonlySet<string>): unknown {
  const message = (value as { evyMaster?: { type?: unknown } } | null | undefined)?.evyMaster;
  return typeof message?.type === 'string' && types.has(message.type) ? message : undefined;
}

export function fromPredecessor(value: unknown): ToSuccessor | undefined {
  return open(value, toSuccessor) as ToSuccessor | undefined;
}
export function fromSuccessor(value: unknown): ToPredecessor | undefined {
  return open(value, toPredecessor) as ToPredecessor | undefined;
}
