/** What is told of each worker's life: log lines and events. */
import type { Logger } from '../../shared/log/log.ts';
import type { BlockReport, RequestSummary } from '../../shared/protocol/messages.ts';
import type { Emit, WorkerInfo } from '../outcomes/events.ts';
import type { WorkerHandle, WorkerNews } from './worker.ts';
import type { WorkerEnd } from './worker-process.ts';
import { isLive } from './worker-states.ts';
import type { WorkerState } from './worker-states.ts';
import type { WatchNews } from './watch-line.ts';

export function workerInfo(worker: WorkerHandle): WorkerInfo {
  return { worker: worker.id, pid: worker.pid, generation: worker.generation.number };
}

/** Where there is no stack, the line says why: its absence would look like an oversight. */
const whereIs = {
  computing: 'it is not in JavaScript: it computes in native code',
  waiting: 'it is not in JavaScript: it waits in a synchronous system call',
} as const;

function reportFields({ stack, native, requestCount }: BlockReport): Record<string, unknown> {
  if (stack !== undefined) return { requests: requestCount, stack };
  const message = native === undefined ? 'it could not be read' : whereIs[native.state];
  return { message, children: native?.children.length ? native.children : undefined };
}

/** A worker that is killed is told of with its requests, which die with it. */
export function logWatchNews(logger: Logger, worker: WorkerInfo, news: WatchNews): void {
  switch (news.type) {
    case 'watched':
      logger.debug('worker.watched', { ...worker });
      break;
    case 'busy':
      logger.warn('worker.busy', { ...worker, blockedMs: news.blockedMs, ...reportFields(news.report) });
      break;
    case 'stuck':
      logger.error('worker.stuck', { ...worker, blockedMs: news.blockedMs, ...reportFields(news.report) });
      for (const request of news.report.requests) logger.warn('request.cut', { ...worker, ...request });
      break;
    case 'recovered':
      logger.info('worker.recovered', { ...worker, blockedMs: news.blockedMs });
      break;
    case 'silent':
      logger.warn('worker.silent', {
        ...worker,
        quietMs: news.quietMs,
        message: 'neither its event loop nor its watchdog runs: it is stopped, or gets no processor; it is not killed',
      });
      break;
    case 'heard':
      logger.info('worker.heard', { ...worker, quietMs: news.quietMs });
      break;
    case 'garbled':
      logger.warn('worker.garbled', { ...worker, message: 'its watchdog has said what is too long to be read' });
      break;
    default:
      news satisfies never;
  }
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

  /** `before`: its state when the news came, which it has taken in since. `quiet`: that it failed is told by somebody else. */
  news(worker: WorkerHandle, news: WorkerNews, { before, quiet }: { before: WorkerState; quiet: boolean }): void {
    const info = workerInfo(worker);
    const hasChanged = before !== worker.state;
    switch (news.type) {
      case 'ready':
        if (worker.state !== 'ready') break;
        this.#logger.info('worker.ready', { ...info, bootMs: worker.bootMs });
        this.#emit('worker:ready', info);
        break;
      case 'failed':
        if (!quiet) this.#logger.error('worker.failed', { ...info, ...worker.failure });
        break;
      case 'crashed':
        // One that was ready has a log of its own and writes it there.
        if (!quiet && worker.readyForMs === undefined)
          this.#logger.error('worker.crashed', { ...info, ...worker.failure });
        this.#cut(info, news.requests ?? []);
        break;
      case 'overdue':
        this.#cut(info, news.requests);
        if (hasChanged) this.#killed(info, 'its grace time is over');
        break;
      case 'deadline':
        if (hasChanged)
          this.#killed(info, isLive(before) ? 'it was not ready within bootTimeout' : 'its grace time is over');
        break;
      case 'fault':
        this.#logger.error('worker.faulty', { ...info, message: news.message, stack: news.stack });
        if (hasChanged) this.#killed(info, 'it sent something that can only be forged');
        break;
      case 'send-refused':
        this.#logger.warn('worker.send-refused', {
          ...info,
          message: `the application called process.send() with ${news.what}, which was not sent: ${news.reason}`,
        });
        break;
      case 'watched':
      case 'busy':
      case 'recovered':
      case 'silent':
      case 'heard':
      case 'garbled':
      case 'stuck':
        logWatchNews(this.#logger, info, news);
        if (hasChanged) this.#killed(info, 'its event loop was stuck for longer than stuckTimeout');
        break;
      case 'exit':
        this.#exit(worker, news, quiet);
        break;
      default: // no line of its own
    }
  }

  #cut(info: WorkerInfo, requests: readonly RequestSummary[]): void {
    for (const request of requests) this.#logger.warn('request.cut', { ...info, ...request });
  }

  #killed(info: WorkerInfo, message: string): void {
    this.#logger.warn('worker.killed', { ...info, message });
  }

  #exit(worker: WorkerHandle, { code, signal }: WorkerEnd, quiet: boolean): void {
    const error = worker.failure?.message;
    const asked = worker.endReason === 'retired' || worker.endReason === 'stopped';
    // Of one that was killed from outside nobody knows which requests it had, but how many.
    const requests = worker.endReason === undefined && error === undefined ? worker.stats?.activeRequests : undefined;
    const end = { code: code ?? undefined, signal: signal ?? undefined, error, requests: requests || undefined };
    const fields = { ...workerInfo(worker), ...end };
    if (quiet) this.#logger.debug('worker.exit', fields);
    else if (asked && signal === null) this.#logger.info('worker.exit', fields);
    else this.#logger.warn('worker.exit', fields);
    this.#emit('worker:exit', { ...workerInfo(worker), code, signal, ...(error === undefined ? {} : { error }) });
  }
}
