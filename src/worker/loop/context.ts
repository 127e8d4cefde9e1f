/**
 * The shared context of one loop, which connections and requests read and report to: the settings, the logs, the clock,
 * the counters, and what the process is about to do (drain, close idle connections, move connections). It knows neither
 * connections nor requests.
 */
import type { Socket } from 'node:net';
import type { DrainNotice, ResponseReport } from '../../shared/application.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { Logger } from '../../shared/log/log.ts';
import type { ServerSettings } from '../../shared/options/table.ts';
import type { ServingStats } from '../../shared/protocol/messages.ts';
import type { AccessLog } from '../access-log/access-log.ts';
import { refusedRequest } from '../access-log/record.ts';
import type { LoggedRequest } from '../access-log/record.ts';
import type { RequestLine } from '../http/request-line.ts';
import type { Mover } from '../migration/mover.ts';
import { trustedProxiesOf } from '../proxies/forwarding.ts';
import type { TrustedProxies } from '../proxies/forwarding.ts';
import { Admission } from '../request/admission.ts';
import { ErrorLines } from '../request/environ.ts';
import type { EnvironDefaults } from '../request/environ.ts';
import type { RefusedSender } from '../request/refusal.ts';
import { RequestNaming } from '../request/request-id.ts';
import type { RequestNames } from '../request/request-id.ts';
import { Clock, realTime } from '../transport/clock.ts';
import type { Expiring, TimeSource } from '../transport/clock.ts';

/** The parameters of a loop, for any interface. */
export interface LoopOptions {
  settings: ServerSettings;
  log: Logger;
  accessLog: AccessLog | undefined;
  multiprocess: boolean;
  /** Called when the first request was answered. */
  onFirstAnswer?: (() => void) | undefined;
  /** A source of time other than this machine's clock. */
  time?: TimeSource;
}

/** Responses by the class of their status. */
export type AnswerCounts = Pick<ServingStats, 'answers2xx' | 'answers3xx' | 'answers4xx' | 'answers5xx'>;

export const noAnswers = (): AnswerCounts => ({ answers2xx: 0, answers3xx: 0, answers4xx: 0, answers5xx: 0 });

/** `status` is 0 when nothing was sent. Returns whether this is the first response. */
export function countAnswer(counts: AnswerCounts, status: number): boolean {
  if (status < 200) return false;
  const isFirst = counts.answers2xx + counts.answers3xx + counts.answers4xx + counts.answers5xx === 0;
  if (status < 300) counts.answers2xx += 1;
  else if (status < 400) counts.answers3xx += 1;
  else if (status < 500) counts.answers4xx += 1;
  else counts.answers5xx += 1;
  return isFirst;
}

/** Drain orders whose deadlines differ by less than this are repetitions of one order. */
const sameDrainMs = 1000;

export class LoopContext {
  readonly settings: ServerSettings;
  readonly log: Logger;
  readonly accessLog: AccessLog | undefined;
  readonly http10Only: boolean;
  readonly admission: Admission;
  readonly environDefaults: EnvironDefaults;
  readonly clock: Clock;
  /** Undefined when no proxy is trusted. */
  readonly trustedProxies: TrustedProxies | undefined;
  readonly naming: RequestNaming;
  /** Set when connections may move to another process. */
  mover: Mover | undefined;
  /** Whether idle connections are closed, also those that become idle later. */
  closesIdle = false;
  /** Idle connections that were closed without an announcement to their clients. */
  closedUnannounced = 0;
  /** Requests so far. */
  requests = 0;
  /** Requests without a complete response. */
  activeRequests = 0;
  pendingHooks = 0;
  readonly answers = noAnswers();
  /** Called whenever a connection was added or removed, or a hook ended. */
  onChange: () => void = () => {};
  readonly #onFirstAnswer: LoopOptions['onFirstAnswer'];
  #drainByMs: number | undefined;

  /** `watched` are the connections whose deadlines the clock checks. */
  constructor(options: LoopOptions, watched: ReadonlySet<Expiring>) {
    const { settings, log, accessLog, multiprocess } = options;
    this.#onFirstAnswer = options.onFirstAnswer;
    this.settings = settings;
    this.log = log;
    this.accessLog = accessLog;
    this.http10Only = settings.maxHttpVersion === 'HTTP/1.0';
    this.admission = new Admission(settings);
    this.environDefaults = { errors: new ErrorLines(log), multiprocess, extra: settings.environ };
    this.clock = new Clock(watched, options.time ?? realTime);
    this.trustedProxies = trustedProxiesOf(settings);
    this.naming = new RequestNaming(settings);
  }

  // ---- draining

  get isDraining(): boolean {
    return this.#drainByMs !== undefined;
  }

  /** Returns false when this order adds nothing to an earlier one. */
  drain(graceMs: number): boolean {
    const byMs = performance.now() + graceMs;
    if (this.#drainByMs !== undefined && byMs > this.#drainByMs - sameDrainMs) return false;
    this.#drainByMs = byMs;
    return true;
  }

  /** Tells the owner of a taken socket how much time is left. */
  announceDrain(socket: Socket): void {
    const notice: DrainNotice = { graceMs: Math.max(0, Math.round(this.#drainByMs! - performance.now())) };
    socket.emit('evy:drain', notice);
  }

  // ---- what requests report

  requestBegun(): void {
    this.requests += 1;
    this.activeRequests += 1;
  }

  responseDone(): void {
    this.activeRequests -= 1;
  }

  /** The last byte of a response was sent, or no more can be sent. */
  settled(request: LoggedRequest, report: ResponseReport, bodyBytes: number): void {
    if (countAnswer(this.answers, report.status)) this.#onFirstAnswer?.();
    this.accessLog?.write(request, report, bodyBytes);
  }

  refused(code: ErrorCode, peer: string, request: { summary?: string; names?: RequestNames | undefined }): void {
    this.log.info('request.refused', { code, peer, request: request.summary, ...request.names });
  }

  /** A request was refused before it had an exchange; this response was sent. */
  refusalSent(code: ErrorCode, sender: RefusedSender, line: RequestLine, response: string): void {
    if (this.accessLog === undefined) return;
    const { request, report, bodyBytes } = refusedRequest(code, sender, line, response);
    this.accessLog.write(request, report, bodyBytes);
  }

  /** A client that did not read its response has lost its connection. */
  connectionCut(peer: string): void {
    this.log.info('connection.cut', { code: 'REQUEST_CUT', peer });
  }

  /** Delays the end of the process until this promise is settled, such as that of a post hook. */
  track(promise: Promise<void>): void {
    this.pendingHooks += 1;
    void promise.then(() => {
      this.pendingHooks -= 1;
      this.onChange();
    });
  }
}
