/** Garbage collection on demand: what is held weakly only is gone afterwards. */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // Twice, in turns of their own: what was looked at through a WeakRef lives until the end of the turn.
  for (let time = 0; time < 2; time += 1) {
    await sleep(1);
    collect();
  }
}
