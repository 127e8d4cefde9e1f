/**
 * The messages between the two masters of an upgrade. To the previous master, the next one looks like a worker that
 * connections move to; to the next master, the previous one looks like a worker that retires.
 */
import type { ErrorCode } from '../../shared/errors.ts';
import type { MovingToMaster, MovingToWorker } from '../../shared/protocol/messages.ts';

export type ToNextMaster =
  | Extract<MovingToWorker, { type: 'adopt' | 'sync' }>
  /** the next master owns the sockets, the pid file and the main pid now */
  | { type: 'take-over' }
  /** a reload that the previous master was asked for while the next one booted */
  | { type: 'reload' };

export type ToPreviousMaster =
  | Exclude<MovingToMaster, { type: 'move' | 'sync' }>
  /** it serves on the inherited sockets of these keys; `moving`: whether connections can move to it */
  | { type: 'ready'; keys: string[]; moving: boolean }
  | { type: 'failed'; code: ErrorCode; message: string }
  /** it was told to stop, or is itself upgraded: the previous master must not serve again */
  | { type: 'leaving' };

const toNextMaster: ReadonlySet<string> = new Set<ToNextMaster['type']>(['adopt', 'sync', 'take-over', 'reload']);
const toPreviousMaster: ReadonlySet<string> = new Set<ToPreviousMaster['type']>([
  'adopted',
  'refused',
  'synced',
  'ready',
  'failed',
  'leaving',
]);

/** The messages have an envelope of their own, since a program that embeds a master may use the channel, too. */
export function encloseForMaster(message: ToNextMaster | ToPreviousMaster): object {
  return { evyMaster: message };
}

function open(value: unknown, types: ReadonlySet<string>): unknown {
  const message = (value as { evyMaster?: { type?: unknown } } | null | undefined)?.evyMaster;
  return typeof message?.type === 'string' && types.has(message.type) ? message : undefined;
}

export function fromPreviousMaster(value: unknown): ToNextMaster | undefined {
  return open(value, toNextMaster) as ToNextMaster | undefined;
}
export function fromNextMaster(value: unknown): ToPreviousMaster | undefined {
  return open(value, toPreviousMaster) as ToPreviousMaster | undefined;
}
