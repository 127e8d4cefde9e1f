/**
 * Closes listening sockets for good without losing anybody who has connected: when the last process closes one, the kernel resets
 * what still waits in its queue. So first all is accepted, until nobody has come for a moment, and what came is served after that. Other
 * workers do the same at the same time; a client that was answered earlier might be the next one in their queue.
 */
import type { Server } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { stopListening } from './listening.ts';
import type { Gatekeeper } from './listening.ts';

/** When nobody has come for so long, the queue is taken for empty. */
const quietMs = 20;
/** Those that were accepted are served after this, and the next ones are kept back for longer each time. */
const longestHeldMs = 200;
/** Where new clients come all the time, one look that finds the queue empty will do after this. */
const longestQuietMs = 1000;
const shortLookMs = 1;
/** A worker that cannot keep up with them gives up after this. */
const longestMs = 5000;
/** Where all connections are in use, some are given this long to end. */
const longestFullMs = 1000;
const lookEveryMs = 1;
/** Other workers are done by then. */
const othersMs = 30;

type Gate = Pick<Gatekeeper, 'intake' | 'isFull' | 'isResting'>;

/** Resolves when those that were accepted last are being served; within the grace time. */
export async function closeToClients(servers: readonly Server[], gate: Gate, graceMs: number): Promise<void> {
  const { intake } = gate;
  const isListening = () => servers.some(({ listening }) => listening);
  // Whoever stands by leaves clients to others.
  if (isListening() && !gate.isResting) {
    intake.holdBack();
    const startedMs = performance.now();
    let quietSinceMs = startedMs;
    let isQuiet = false;
    let letGoAtMs = longestHeldMs;
    for (let seen = intake.accepted; isListening(); seen = intake.accepted) {
      // No busy loop: clients may need the same processor to come.
      if (isQuiet || gate.isFull) await setTimeout(lookEveryMs);
      // The kernel is asked in between, and as little time as can be is lost from then on.
      const lookedAtMs = performance.now();
      await setImmediate();
      isQuiet = intake.accepted === seen && !gate.isFull;
      const nowMs = performance.now();
      if (!isQuiet) quietSinceMs = nowMs;
      const waitedMs = nowMs - startedMs;
      // Clients that were answered in the same turn may have come back since the kernel was asked.
      const isUpToDate = isQuiet && nowMs - lookedAtMs < shortLookMs;
      if (isUpToDate && (nowMs - quietSinceMs >= quietMs || waitedMs >= longestQuietMs)) break;
      if (waitedMs >= letGoAtMs) {
        intake.letGo();
        intake.holdBack();
        letGoAtMs = 2 * waitedMs;
      }
      if (waitedMs >= Math.min(graceMs / 2, gate.isFull ? longestFullMs : longestMs)) break;
    }
  }
  for (const server of servers) stopListening(server);
  if (intake.waiting > 0) await setTimeout(othersMs);
  intake.letGo();
}
