/**
 * Loads modules of Node that many processes never use, synchronously when they are first needed, since some are needed
 * during a request. An `import` would load them at the start of every process and touch each of their exports, which
 * loads even more.
 */
import type * as NodeCrypto from 'node:crypto';
import type * as NodeHttp from 'node:http';
import type * as NodeInspector from 'node:inspector';
import type * as NodeModule from 'node:module';
import type * as NodeTls from 'node:tls';
import type * as NodeUtil from 'node:util';
import type * as NodeWorkerThreads from 'node:worker_threads';

export const nodeCrypto = (): typeof NodeCrypto => process.getBuiltinModule('node:crypto');
export const nodeHttp = (): typeof NodeHttp => process.getBuiltinModule('node:http');
export const nodeModule = (): Pick<typeof NodeModule, 'createRequire'> => process.getBuiltinModule('node:module');
export const nodeTls = (): typeof NodeTls => process.getBuiltinModule('node:tls');
export const nodeUtil = (): typeof NodeUtil => process.getBuiltinModule('node:util');
export const nodeWorkerThreads = (): typeof NodeWorkerThreads => process.getBuiltinModule('node:worker_threads');

/** Undefined in a Node that was built without it. */
export const nodeInspector = (): typeof NodeInspector | undefined => process.getBuiltinModule('node:inspector');
