/** Wires a worker process to its signals, its errors and its channel to the master. It is loaded by entry.ts, which holds signals back. */
import cluster from 'node:cluster';
import { guardSend, listenToMaster, tellMaster } from './process/master-channel.ts';
import { onForeignExit } from './process/process-exit.ts';
import { WorkerProcess } from './process/worker-life.ts';

const worker = new WorkerProcess();

// node:cluster would end this process at once when the master dies; it drains first.
if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
// When the reader of the output is gone, nobody could see the line: no reason to fail.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
onForeignExit((error) => worker.exitedByApplication(error));
process.on('uncaughtException', (thrown) => void worker.crash(thrown));
// A terminal sends INT, HUP and others to the whole process group: the master decides, and entry.ts has them ignored here.
// Without a listener Node would open its debugger to everybody on this machine.
process.on('SIGUSR1', () => worker.reopenLogs());
process.on('SIGTERM', () => worker.terminate());
process.on('SIGQUIT', () => void worker.quit());
guardSend();
listenToMaster(
  (message, handle) => worker.receive(message, handle),
  () => worker.orphaned(),
);
void tellMaster({ type: 'hello', pid: process.pid });
