/**
 * The path between accept(2) and the loop, and the closing of listening sockets without losing a client that has
 * connected.
 *
 * When the last process closes a listening socket, the kernel resets the connections in its queue. So the queue is
 * emptied first: connections are accepted and held back until none has arrived for a moment, and served after the
 * socket is closed. (A client that is answered earlier may connect again immediately, and the queue would never be
 * empty.) Other workers do the same at the same time.
 */
import type { Server } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { Transport } from '../../shared/node-private/node-private.ts';

export class Intake {
  #accepted = 0;
  #heldBack: Array<() => void> | undefined;
  #onWaiting: () => void = () => {};

  /** Connections that all listening sockets have accepted so far. */
  get accepted(): number {
    return this.#accepted;
  }
  /** Connections that are held back. */
  get waiting(): number {
    return this.#heldBack?.length ?? 0;
  }
  get holdsBack(): boolean {
    return this.#heldBack !== undefined;
  }

  readonly noteAccepted = (): void => {
    this.#accepted += 1;
  };

  /** Calls back when the number of connections that are held back has changed. */
  onWaiting(callback: () => void): void {
    this.#onWaiting = callback;
  }

  /** From now on, `keep` must be called instead of serving a connection. */
  holdBack(): void {
    this.#heldBack ??= [];
  }

  /**
   * Calls `serve` later, unless the client disconnects without having sent anything. Only while connections are held
   * back.
   */
  keep(transport: Transport, serve: () => void): void {
    this.#heldBack!.push(() => {
      if (transport.hasEnded) transport.destroy();
      else if (!transport.isDestroyed) serve();
    });
    this.#onWaiting();
  }

  /** Serves all connections that were held back, and stops holding back. */
  resume(): void {
    const waiting = this.#heldBack ?? [];
    this.#heldBack = undefined;
    for (const serve of waiting) serve();
    if (waiting.length > 0) this.#onWaiting();
  }
}

/** Stops listening without affecting connections: `http.Server.close()` would close idle ones immediately. */
export function stopListening(server: Server): void {
  server.close(() => {});
}

/** When nothing has arrived for this long, the queue counts as empty. */
const quietMs = 20;
/** Accepted clients are served after this time; the next ones are held back for longer each time. */
const longestHeldMs = 200;
/** While clients keep arriving, a single check that finds the queue empty is enough after this time. */
const longestQuietMs = 1000;
/** A check that takes longer may miss clients that have come back meanwhile. */
const shortLookMs = 1;
/** A worker that cannot keep up with its clients stops accepting after this time. */
const longestMs = 5000;
/** While all connections are in use, this is how long to wait for some of them to end. */
const longestFullMs = 1000;
const lookEveryMs = 1;
/** After this time other workers have closed theirs, too. */
const othersMs = 30;

/** The part of the gatekeeper that closing needs. */
interface Gate {
  readonly intake: Intake;
  readonly isFull: boolean;
  readonly isResting: boolean;
}

/** Resolves when the last accepted connections are being served; at the latest after the grace time. */
export async function closeToClients(servers: readonly Server[], gate: Gate, graceMs: number): Promise<void> {
  const { intake } = gate;
  const isListening = () => servers.some(({ listening }) => listening);
  // A worker on standby leaves clients to others.
  if (isListening() && !gate.isResting) {
    intake.holdBack();
    const startedMs = performance.now();
    let quietSinceMs = startedMs;
    let isQuiet = false;
    let resumeAtMs = longestHeldMs;
    for (let seen = intake.accepted; isListening(); seen = intake.accepted) {
      // It pauses between checks, since clients may need the same processor to connect.
      if (isQuiet || gate.isFull) await setTimeout(lookEveryMs);
      // Waiting connections are accepted in between; after that as little time as possible passes.
      const lookedAtMs = performance.now();
      await setImmediate();
      isQuiet = intake.accepted === seen && !gate.isFull;
      const nowMs = performance.now();
      if (!isQuiet) quietSinceMs = nowMs;
      const waitedMs = nowMs - startedMs;
      // Clients that were answered in the same turn of the event loop may have come back since the check.
      const isUpToDate = isQuiet && nowMs - lookedAtMs < shortLookMs;
      if (isUpToDate && (nowMs - quietSinceMs >= quietMs || waitedMs >= longestQuietMs)) break;
      const isTime = waitedMs >= resumeAtMs;
      // While the gate is full, it accepts no further client until some of those held back have been served.
      if (isTime || gate.isFull) {
        intake.resume();
        intake.holdBack();
      }
      if (isTime) resumeAtMs = 2 * waitedMs;
      if (waitedMs >= Math.min(graceMs / 2, gate.isFull ? longestFullMs : longestMs)) break;
    }
  }
  for (const server of servers) stopListening(server);
  if (intake.waiting > 0) await setTimeout(othersMs);
  intake.resume();
}
