/**
 * The watchdog thread, which has its own event loop. It checks the main thread's pulse, and tells the master over its
 * own pipe that the process runs and, when the main thread is stuck, what that is doing.
 *
 * It only classifies what it sees (verdict.ts); the master replaces the worker. If the master was told and does not
 * act, the watchdog ends the process itself: a main thread that was inspected stays paused, so it cannot exit by
 * itself.
 */
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';
import { enclose } from '../../shared/protocol/messages.ts';
import type { WatchdogToMaster } from '../../shared/protocol/messages.ts';
import { Quiet, watchTickMs } from '../../shared/quiet.ts';
import { readBlockedMain } from './blocked-main.ts';
import { PulseReader } from './pulse.ts';
import { sayings, verdictOn } from './verdict.ts';
import type { Verdict } from './verdict.ts';

/** The data that the thread is started with. */
export interface WatchdogData {
  readonly memory: SharedArrayBuffer;
  readonly fd: number;
  readonly stuckMs: number;
}

/** The time limit for inspecting the main thread. */
const readWithinMs = 2_000;
/** How long the master has to kill a stuck process after it was told: the master may be stopped, or gone. */
const actWithinMs = 5_000;
/** Bytes that may wait for a master that does not read; beyond this no further 'alive' is sent. */
const mostWaitingBytes = 65_536;

const { memory, fd, stuckMs } = workerData as WatchdogData;
const tickMs = watchTickMs(stuckMs);
const pulse = new PulseReader(memory);
const quiet = new Quiet(tickMs, performance.now());
const line = new Socket({ fd, readable: true, writable: true });
let verdict: Verdict = 'well';
let isReading = false;
/** The longest block since the loop last ran. */
let blockedMs = 0;
let deadline: NodeJS.Timeout | undefined;

function send(message: WatchdogToMaster): void {
  if (line.writable) line.write(`${JSON.stringify(enclose(message))}\n`);
}

function checkPulse(): void {
  const quietMs = quiet.tick(performance.now());
  if (pulse.hasBeaten) quiet.heard();
  else blockedMs = Math.round(quietMs);
  if (line.writableLength < mostWaitingBytes) send({ type: 'alive' });
  if (isReading) return;
  const before = verdict;
  verdict = verdictOn({ quietMs: quiet.ms, isDebugged: pulse.isDebugged }, stuckMs);
  const saying = sayings[before][verdict];
  if (saying === 'none') return;
  if (saying === 'recovered') {
    clearTimeout(deadline);
    send({ type: 'recovered', blockedMs });
  } else void report(saying);
}

const endProcess = (): void => void process.kill(process.pid, 'SIGKILL');

async function report(saying: 'busy' | 'stuck'): Promise<void> {
  isReading = true;
  const isLast = saying === 'stuck';
  const reading = await readBlockedMain({ isLast, beats: pulse.count }, readWithinMs);
  isReading = false;
  if (pulse.hasBeaten) quiet.heard();
  // The loop ran meanwhile, so the result does not show what blocked it. The next check reports that it runs.
  const isOver = quiet.ms === 0;
  if (!isOver) send({ type: saying, blockedMs, report: reading.report });
  // A process that is to be killed stays paused, so that the logged state of its requests stays true.
  if (isOver || !isLast) reading.letGo();
  else if (line.writable) deadline = setTimeout(endProcess, actWithinMs);
  else endProcess();
}

line.on('error', () => {}); // 'close' follows
line.resume();
setInterval(checkPulse, tickMs);
