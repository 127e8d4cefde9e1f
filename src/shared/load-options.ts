/** The rows of the option table that say how the whole server follows its load; see options.ts. */
import { duration, pathPatterns } from './option-schemas.ts';

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
  healthPaths: {
    schema: pathPatterns(),
    default: [],
    group: 'limits',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'PATH',
    help: 'Path of health checks, which maxRequests does not count; with * at the end, all paths that begin so.',
  },
} as const;
