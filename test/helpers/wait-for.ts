/** Waiting for facts, each wait with a deadline whose message says what did not come true. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  withinMs?: number;
  everyMs?: number;
}

/** Asks again and again until the answer is neither false, undefined nor null, and returns it. */
export async function waitFor<T>(
  what: string,
  ask: () => T | Promise<T>,
  { withinMs = 30_000, everyMs = 10 }: WaitOptions = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== undefined && answer !== null) return answer as NonNullable<Exclude<T, false>>;
    if (performance.now() >= deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(everyMs);
  }
}

/** The promise's result, or a rejection at the deadline; `context` adds what is known by then. */
export async function withDeadline<T>(
  what: string,
  promise: Promise<T>,
  withinMs: number,
  context: () => string = () => '',
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${withinMs} ms: ${what}${context()}`)), withinMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
