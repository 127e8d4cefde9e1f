/** The log lines and events about the life of each worker. When they are due is decided elsewhere. */
import type { Logger } from '../../shared/log/log.ts';
import type { BlockReport, RequestSummary } from '../../shared/protocol/messages.ts';
import type { Emit, WorkerInfo } from '../outcomes/events.ts';
import type { WorkerEnd } from './process.ts';
import type { Fault } from './watch-line.ts';
import type { WorkerHandle, WorkerNews } from './worker.ts';

type NewsOf<Type extends WorkerNews['type']> = Extract<WorkerNews, { type: Type }>;

/** The fields by which events and log lines name a worker. */
export function workerInfo(worker: WorkerHandle): WorkerInfo {
  return { worker: worker.id, pid: worker.pid, generation: worker.generation.number };
}

/** Without a stack the line says why it is missing. */
const whereIs = {
  computing: 'it is not in JavaScript: it computes in native code',
  waiting: 'it is not in JavaScript: it waits in a synchronous system call',
} as const;

function reportFields({ stack, native, requestCount }: BlockReport): Record<string, unknown> {
  if (stack !== undefined) return { requests: requestCount, stack };
  const message = native === undefined ? 'the watchdog could not read what blocks the worker' : whereIs[native.state];
  return { message, children: native?.children.length ? native.children : undefined };
}

export class WorkerLines {
  readonly #logger: Logger;
  readonly #emit: Emit;

  constructor(logger: Logger, emit: Emit) {
    this.#logger = logger;
    this.#emit = emit;
  }

  spawned(worker: WorkerHandle): void {
    this.#logger.debug('worker.spawned', { ...workerInfo(worker) });
    this.#emit('worker:spawned', workerInfo(worker));
  }

  standby(worker: WorkerHandle): void {
    this.#logger.info('worker.standby', { ...workerInfo(worker) });
    this.#emit('worker:standby', workerInfo(worker));
  }

  resumed(worker: WorkerHandle): void {
    this.#logger.info('worker.resumed', { ...workerInfo(worker) });
    this.#emit('worker:resumed', workerInfo(worker));
  }

  retiring(worker: WorkerHandle, reason: string | undefined): void {
    this.#logger.info('worker.retiring', { ...workerInfo(worker), reason });
    this.#emit('worker:retiring', workerInfo(worker));
  }

  delayed(generation: number, delayMs: number, inARow: number): void {
    this.#logger.warn('worker.delayed', { generation, delayMs, inARow });
  }

  ready(worker: WorkerHandle): void {
    this.#logger.info('worker.ready', { ...workerInfo(worker), bootMs: worker.bootMs });
    this.#emit('worker:ready', workerInfo(worker));
  }

  failed(worker: WorkerHandle): void {
    this.#logger.error('worker.failed', { ...workerInfo(worker), ...worker.record.failure });
  }

  crashed(worker: WorkerHandle): void {
    this.#logger.error('worker.crashed', { ...workerInfo(worker), ...worker.record.failure });
  }

  faulty(worker: WorkerHandle, { message, stack }: Fault): void {
    this.#logger.error('worker.faulty', { ...workerInfo(worker), message, stack });
  }

  sendRefused(worker: WorkerHandle, { what, reason }: NewsOf<'send-refused'>): void {
    const message = `the application called process.send() with ${what}, which was not sent: ${reason}`;
    this.#logger.warn('worker.send-refused', { ...workerInfo(worker), message });
  }

  watched(worker: WorkerHandle): void {
    this.#logger.debug('worker.watched', { ...workerInfo(worker) });
  }

  busy(worker: WorkerHandle, { blockedMs, report }: NewsOf<'busy'>): void {
    this.#logger.warn('worker.busy', { ...workerInfo(worker), blockedMs, ...reportFields(report) });
  }

  stuck(worker: WorkerHandle, { blockedMs, report }: NewsOf<'stuck'>): void {
    this.#logger.error('worker.stuck', { ...workerInfo(worker), blockedMs, ...reportFields(report) });
    // The worker is killed, which cuts these requests.
    this.cut(worker, report.requests);
  }

  recovered(worker: WorkerHandle, blockedMs: number): void {
    this.#logger.info('worker.recovered', { ...workerInfo(worker), blockedMs });
  }

  silent(worker: WorkerHandle, quietMs: number): void {
    this.#logger.warn('worker.silent', {
      ...workerInfo(worker),
      quietMs,
      message:
        'neither the event loop nor the watchdog of this worker runs: it was stopped, or gets no processor time; it is not killed',
    });
  }

  heard(worker: WorkerHandle, quietMs: number): void {
    this.#logger.info('worker.heard', { ...workerInfo(worker), quietMs });
  }

  garbled(worker: WorkerHandle): void {
    const message = 'its watchdog sent a report that is too long to be read';
    this.#logger.warn('worker.garbled', { ...workerInfo(worker), message });
  }

  cut(worker: WorkerHandle, requests: readonly RequestSummary[]): void {
    for (const request of requests) this.#logger.warn('request.cut', { ...workerInfo(worker), ...request });
  }

  killed(worker: WorkerHandle, message: string): void {
    this.#logger.warn('worker.killed', { ...workerInfo(worker), message });
  }

  /** `quiet`: its failure is reported elsewhere. */
  exit(worker: WorkerHandle, { code, signal }: WorkerEnd, quiet: boolean): void {
    const error = worker.record.failure?.message;
    const asked = worker.endReason === 'retired' || worker.endReason === 'stopped';
    // For a worker that was killed from outside only the number of its requests is known.
    const requests =
      worker.endReason === undefined && error === undefined ? worker.record.stats?.activeRequests : undefined;
    const end = { code: code ?? undefined, signal: signal ?? undefined, error, requests: requests || undefined };
    const fields = { ...workerInfo(worker), ...end };
    if (quiet) this.#logger.debug('worker.exit', fields);
    else if (asked && signal === null) this.#logger.info('worker.exit', fields);
    else this.#logger.warn('worker.exit', fields);
    this.#emit('worker:exit', { ...workerInfo(worker), code, signal, ...(error === undefined ? {} : { error }) });
  }
}
