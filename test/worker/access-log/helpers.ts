/** Records as a worker makes them, without a server. */
import type { Environ } from '../../../src/shared/application.ts';
import type { LogFields, Logger } from '../../../src/shared/log/log.ts';
import { silentLogger } from '../../../src/shared/log/log.ts';
import type { AccessSettings } from '../../../src/worker/access-log/access-log.ts';
import type { AccessRecord, LoggedReport, LoggedRequest } from '../../../src/worker/access-log/record.ts';

export const settingsOf = (logFormat: string, more: Partial<AccessSettings> = {}): AccessSettings => ({
  logFormat,
  logXForwardedFor: true,
  accessLogSkip: [],
  trustedProxies: [],
  ...more,
});

export const requestOf = (
  env: Record<string, unknown> = {},
  more: Partial<Omit<LoggedRequest, 'env'>> = {},
): LoggedRequest => ({
  env: { REMOTE_ADDR: '192.0.2.1', RAW_PATH_INFO: '/', QUERY_STRING: '', ...env } as unknown as Environ,
  method: 'GET',
  target: '/',
  version: 'HTTP/1.1',
  responseHeader: () => undefined,
  ...more,
});

export const reportOf = (status = 200, more: Partial<LoggedReport> = {}): LoggedReport => ({
  status,
  bytesSent: 150,
  outcome: 'sent',
  durationMs: 12.3456789,
  ...more,
});

export const recordOf = (
  env: Record<string, unknown> = {},
  more: Partial<Omit<LoggedRequest, 'env'>> = {},
): AccessRecord => ({
  request: requestOf(env, more),
  ...reportOf(),
  bodyBytes: 13,
  nowMs: Date.UTC(2026, 10, 22, 20, 30, 5, 7),
});

export interface Events {
  readonly log: Logger;
  readonly seen: Array<LogFields & { event: string }>;
}

/** A log that remembers. */
export function eventLog(): Events {
  const seen: Events['seen'] = [];
  const remember = (event: string, fields?: LogFields) => void seen.push({ event, ...fields });
  return { log: { ...silentLogger, warn: remember, error: remember }, seen };
}
