/** The log lines of what a worker's watchdog says. */
import type { Logger } from '../../shared/log/log.ts';
import type { BlockReport } from '../../shared/protocol/messages.ts';
import type { WorkerInfo } from '../outcomes/events.ts';
import type { WatchNews } from './watch-line.ts';

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
