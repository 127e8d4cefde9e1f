/**
 * Modules of Node that many processes never use, loaded when they are first needed, and without waiting: some are needed in the middle of
 * a request. An `import` would load them with the process, and touch each of their exports, which loads more still.
 */
export const nodeCrypto = (): typeof import('node:crypto') => process.getBuiltinModule('node:crypto');
export const nodeHttp = (): typeof import('node:http') => process.getBuiltinModule('node:http');
export const nodeModule = (): typeof import('node:module') => process.getBuiltinModule('node:module');
export const nodeTls = (): typeof import('node:tls') => process.getBuiltinModule('node:tls');
export const nodeUtil = (): typeof import('node:util') => process.getBuiltinModule('node:util');
export const nodeWorkerThreads = (): typeof import('node:worker_threads') =>
  process.getBuiltinModule('node:worker_threads');
