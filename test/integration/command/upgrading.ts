/** What the tests of USR2 share. */
import type { LogLine } from '../../helpers/log-reader.ts';
import type { EvyProcess } from '../../helpers/run-evy.ts';
import { waitFor } from '../../helpers/wait-for.ts';
import { hasEnded } from './serving.ts';

/** USR2, and the process id of the new master once the old one has gone. */
export async function upgrade(evy: EvyProcess, from = evy.pid): Promise<{ pid: number; stopped: LogLine }> {
  const times = evy.seen('upgrade.ready').length + 1;
  const stops = evy.seen('master.stopped').length + 1;
  process.kill(from, 'SIGUSR2');
  const { successor } = await evy.until('upgrade.ready', { times });
  const stopped = await evy.until('master.stopped', { times: stops });
  await waitFor('the end of the old master', () => hasEnded(from));
  return { pid: successor as number, stopped };
}

export async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  await waitFor(`the end of ${pid}`, () => hasEnded(pid));
}
