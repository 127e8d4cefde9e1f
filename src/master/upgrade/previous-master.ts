/**
 * The master before, as the one that takes its place sees it: an origin of connections, and whoever waits for the news
 * that this one serves.
 */
import type { Socket } from 'node:net';
import { EvyError } from '../../shared/errors.ts';
import { passedHandle } from '../../shared/node-private/node-private.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { MasterToWorker, MovingToMaster } from '../../shared/protocol/messages.ts';
import type { Party } from '../migration/targets.ts';
import { inheritanceVariable, parseLegacy } from '../sockets/inherited-sockets.ts';
import type { Legacy } from '../sockets/inherited-sockets.ts';
import { encloseForMaster, fromPredecessor } from './upgrade-messages.ts';
import type { ToPredecessor } from './upgrade-messages.ts';

/** The end of a channel to a parent process: `process`, or an emitter in a test. */
export interface ParentChannel {
  readonly connected: boolean;
  send?(message: object, handle: Socket | undefined, options: object, done: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (value: unknown, handle: unknown) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

export interface PredecessorEvents {
  readonly onMoving: (party: Party, message: MovingToMaster, handle: PassedHandle | undefined) => void;
  readonly onTakeOver: () => void;
  readonly onReload: () => void;
  readonly onGone: (party: Party) => void;
}

export class Predecessor implements Party {
  /** Its end is told by an event of its own. */
  readonly connected = true;
  readonly legacy: Legacy;
  readonly #channel: ParentChannel;

  constructor(legacy: Legacy, channel: ParentChannel = process) {
    this.legacy = legacy;
    this.#channel = channel;
  }

  listen({ onMoving, onTakeOver, onReload, onGone }: PredecessorEvents): void {
    this.#channel.on('message', (value, handle) => {
      const message = fromPredecessor(value);
      switch (message?.type) {
        case 'adopt':
          onMoving(this, { type: 'move', id: message.id, connection: message.connection }, passedHandle(handle));
          break;
        case 'sync':
          onMoving(this, message, undefined);
          break;
        case 'take-over':
          onTakeOver();
          break;
        case 'reload':
          onReload();
          break;
        case undefined:
          break; // none of ours
        default:
          message satisfies never;
      }
    });
    if (this.#channel.connected) this.#channel.once('disconnect', () => onGone(this));
    else queueMicrotask(() => onGone(this));
  }

  /** What the relay tells an origin, in the words of one to whom something was offered. */
  send(message: MasterToWorker): void {
    switch (message.type) {
      case 'moved':
        this.tell({ type: 'adopted', id: message.id });
        break;
      case 'move-back':
        this.tell({ type: 'refused', id: message.id });
        break;
      case 'synced':
        this.tell(message);
        break;
      default: // an origin is told nothing else
    }
  }

  tell(message: ToPredecessor): void {
    // It may have gone: then nobody waits for it.
    if (this.#channel.connected) this.#channel.send?.(encloseForMaster(message), undefined, {}, () => {});
  }
}

/**
 * The master before, when there is one; asked for once, as the sockets can be taken once.
 * @throws {EvyError} UPGRADE_FAILED
 */
export function findPredecessor(env: NodeJS.ProcessEnv, parent = process.ppid): Predecessor | undefined {
  const text = env[inheritanceVariable];
  // Neither workers nor applications are meant.
  delete env[inheritanceVariable];
  const legacy = parseLegacy(text, parent);
  return legacy === undefined ? undefined : new Predecessor(legacy);
}

/** Tells the master before, if there is one, why this one does not even come to be a master. */
export function tellPredecessorOfFailure(thrown: unknown, env: NodeJS.ProcessEnv = process.env): void {
  try {
    const { message } = thrown as Error;
    const code = thrown instanceof EvyError ? thrown.code : 'INTERNAL';
    findPredecessor(env)?.tell({ type: 'failed', code, message });
  } catch {
    // What was left is not meant for us, or damaged: then the old one learns it from our end.
  }
}
