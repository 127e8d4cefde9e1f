/** The rows of the option table that say how the whole server follows its load; see options.ts. */
import { duration, integer, pathPatterns } from './option-schemas.ts';

const mostAtATime = 10_000_000;

export const loadRows = {
  scaleDownAfter: {
    schema: duration(1_000),
    default: 30_000,
    key: 'scaleDownAfterMs',
    group: 'processes',
    scope: 'master',
    appliesOn: 'reload',
    unit: 'seconds',
    placeholder: 'TIME',
    help: 'How long one worker less must have been enough before one leaves, where workers is a range.',
  },
  maxConnections: {
    schema: integer(0, mostAtATime),
    default: 0,
    group: 'limits',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'N',
    help: 'Connections at a time of all workers together; past it clients wait in the kernel. 0 is no limit.',
  },
  maxConcurrentRequests: {
    schema: integer(0, mostAtATime),
    default: 0,
    group: 'limits',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'N',
    help: 'Requests under way at a time of all workers together; past it a request gets 503 with Retry-After. 0 is no limit.',
  },
  healthPaths: {
    schema: pathPatterns(),
    default: [],
    group: 'limits',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'PATH',
    help: 'Path of health checks, which maxRequests does not count and maxConcurrentRequests lets through; with * at the end, all paths that begin so.',
  },
} as const;
