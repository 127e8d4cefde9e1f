/** The public API of the package; it only re-exports. */
export { ALREADY_HANDLED } from './shared/application.ts';
export type {
  App,
  Body,
  Chunk,
  DrainNotice,
  Environ,
  FetchApp,
  FetchContext,
  Input,
  Middleware,
  Outcome,
  PostHook,
  PostHookFunction,
  ResponseReport,
  StartResponse,
  Write,
} from './shared/application.ts';
export { EvyError } from './shared/errors.ts';
export type { ErrorCode } from './shared/errors.ts';
export { createMaster } from './master/create-master.ts';
export type { EmbeddingOptions } from './master/create-master.ts';
export type { MasterEvents, WorkerExit, WorkerInfo } from './master/outcomes/events.ts';
export type { BoundAddress } from './master/sockets/bind-address.ts';
export type { Master } from './master/master.ts';
export { ReloadError } from './master/outcomes/results.ts';
export type { ReloadPhase } from './master/outcomes/reload-phases.ts';
export type {
  FailedReload,
  Progress,
  ReloadResult,
  ScaleResult,
  StopResult,
  UpgradeResult,
} from './master/outcomes/results.ts';
export type { MasterStatus, WorkerStatus } from './master/control/status.ts';
export type { Logger } from './shared/log/log.ts';
export type { OptionsInput } from './shared/options/table.ts';
export { postHook, requestSignal } from './worker/interfaces/node-requests.ts';
export { listen, wrapSsl } from './worker/accepting/listen-socket.ts';
export type {
  Address,
  ListenAddress,
  ListenOptions,
  ListenSocket,
  SslOptions,
} from './worker/accepting/listen-socket.ts';
export { ready } from './worker/process/readiness.ts';
export * as wsgi from './worker/wsgi-namespace.ts';
