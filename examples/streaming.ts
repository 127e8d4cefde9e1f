/**
 * A response body from a generator. Each piece is sent when it is yielded; the generator waits while the client's socket
 * is full, and ends when the client leaves.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from 'evy';

const countdown: App = async function* (env, startResponse) {
  startResponse('200 OK', [['Content-Type', 'text/plain']]);
  let left = 10;
  try {
    for (; left > 0; left -= 1) {
      yield `${left}\n`;
      // The sleep rejects at once when the client leaves.
      await sleep(200, undefined, { signal: env['evy.signal'] });
    }
    yield 'lift-off\n';
  } finally {
    console.log(left === 0 ? 'counted to the end' : `the client left at ${left}`);
  }
};

export default countdown;
