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
/** Where new clients come all the time it is closed after this, behind a look that has found it empty. */
const longestMs = 200;
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
    for (let nowMs = startedMs; isListening(); nowMs = performance.now()) {
      const { accepted } = intake;
      // No busy loop: clients may need the same processor to come, and those that are here to leave.
      await setTimeout(lookEveryMs);
      // The kernel is asked in between, and as little time as can be is lost from then on.
      await setImmediate();
      const isQuiet = intake.accepted === accepted && !gate.isFull;
      if (!isQuiet) quietSinceMs = nowMs;
      const waitedMs = nowMs - startedMs;
      if (waitedMs >= Math.min(graceMs, gate.isFull ? longestFullMs : 2 * longestMs)) break;
      if (isQuiet && (nowMs - quietSinceMs >= quietMs || waitedMs >= longestMs)) break;
    }
  }
  for (const server of servers) stopListening(server);
  if (intake.waiting > 0) await setTimeout(othersMs);
  intake.letGo();
}
