/** Wires a worker process to its signals, its errors and its channel to the master. It is loaded by entry.ts, which holds signals back. */
import cluster from 'node:cluster';
import { guardSend, listenToMaster, tellMaster } from './process/master-channel.ts';
import { onForeignExit } from './process/process-exit.ts';
import { WorkerProcess } from './process/worker-life.ts';

const worker = new WorkerProcess();

// node:cluster would exit immediately when the master dies; this worker drains first.
if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
// Output without a reader is lost, which is no reason to fail.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});
onForeignExit((error) => worker.exitedByApplication(error));
process.on('uncaughtException', (thrown) => void worker.crash(thrown));
// A terminal sends INT, HUP and others to the whole process group. Only the master acts on them; entry.ts ignores them
// here. Without a listener for USR1, Node would open its debugger to everyone on this machine.
process.on('SIGUSR1', () => worker.reopenLogs());
process.on('SIGTERM', () => worker.terminate());
process.on('SIGQUIT', () => void worker.quit());
guardSend();
listenToMaster(
  (message, handle) => worker.receive(message, handle),
  () => worker.orphaned(),
);
void tellMaster({ type: 'hello', pid: process.pid });
