/**
 * The previous master as the next one sees it: a party that connections come from, and that waits until this master
 * serves.
 */
import type { Socket } from 'node:net';
import { EvyError } from '../../shared/errors.ts';
import { passedHandle } from '../../shared/node-private/node-private.ts';
import type { PassedHandle } from '../../shared/node-private/node-private.ts';
import type { MasterToWorker, MovingToMaster } from '../../shared/protocol/messages.ts';
import type { Party } from '../migration/targets.ts';
import { inheritedStateVariable, parseInheritedState } from '../sockets/inherited-state.ts';
import type { InheritedState } from '../sockets/inherited-state.ts';
import { encloseForMaster, fromPreviousMaster } from './upgrade-messages.ts';
import type { ToPreviousMaster } from './upgrade-messages.ts';

/** The end of a channel to a parent process: `process`, or an emitter in a test. */
export interface ParentChannel {
  readonly connected: boolean;
  send?(message: object, handle: Socket | undefined, options: object, done: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (value: unknown, handle: unknown) => void): unknown;
  once(event: 'disconnect', listener: () => void): unknown;
}

export interface PreviousMasterEvents {
  readonly onMoving: (party: Party, message: MovingToMaster, handle: PassedHandle | undefined) => void;
  readonly onTakeOver: () => void;
  readonly onReload: () => void;
  readonly onGone: (party: Party) => void;
}

export class PreviousMaster implements Party {
  /** Its end is reported by `onGone`. */
  readonly connected = true;
  readonly inherited: InheritedState;
  readonly #channel: ParentChannel;

  constructor(inherited: InheritedState, channel: ParentChannel = process) {
    this.inherited = inherited;
    this.#channel = channel;
  }

  listen({ onMoving, onTakeOver, onReload, onGone }: PreviousMasterEvents): void {
    this.#channel.on('message', (value, handle) => {
      const message = fromPreviousMaster(value);
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
          break; // not a message between masters
        default:
          message satisfies never;
      }
    });
    if (this.#channel.connected) this.#channel.once('disconnect', () => onGone(this));
    else queueMicrotask(() => onGone(this));
  }

  /** Translates what the relay tells an origin into what the relay of the previous master expects from a target. */
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
      default: // an origin gets no other messages
    }
  }

  tell(message: ToPreviousMaster): void {
    // The previous master may have exited; then the message is not needed.
    if (this.#channel.connected) this.#channel.send?.(encloseForMaster(message), undefined, {}, () => {});
  }
}

/**
 * The previous master, if there is one. It can be asked for once, since the inherited sockets can be used once.
 * @throws {EvyError} UPGRADE_FAILED
 */
export function findPreviousMaster(env: NodeJS.ProcessEnv, parent = process.ppid): PreviousMaster | undefined {
  const text = env[inheritedStateVariable];
  // Workers and applications must not inherit it.
  delete env[inheritedStateVariable];
  const inherited = parseInheritedState(text, parent);
  return inherited === undefined ? undefined : new PreviousMaster(inherited);
}

/** Tells the previous master, if there is one, why this process failed to start. */
export function tellPreviousMasterOfFailure(thrown: unknown, env: NodeJS.ProcessEnv = process.env): void {
  try {
    const { message } = thrown as Error;
    const code = thrown instanceof EvyError ? thrown.code : 'INTERNAL';
    findPreviousMaster(env)?.tell({ type: 'failed', code, message });
  } catch {
    // The variable is damaged. The previous master notices that this process exits.
  }
}
