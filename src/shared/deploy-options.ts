/** The rows of the option table that say how a new generation comes in; see options.ts. */
import { integer, oneOf, requestList, text } from './option-schemas.ts';

export const deployRows = {
  envFile: {
    schema: text(),
    default: '',
    group: 'application',
    path: 'file',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'FILE',
    help: "File with variables (NAME=value) for the application; those of evy's own environment win.",
  },
  ready: {
    schema: oneOf(['load', 'signal']),
    default: 'load',
    group: 'deploying',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'WHEN',
    help: 'When a worker is ready: load, once its modules are loaded; signal, once the application has called ready().',
  },
  warmup: {
    schema: requestList(),
    default: [],
    group: 'deploying',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'METHOD:/PATH',
    help: 'Request that a new worker answers to itself before it accepts anything, with 2xx or 3xx; may be repeated.',
  },
  surge: {
    schema: integer(1, 1024),
    default: 1,
    group: 'deploying',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'N',
    help: 'Workers above the wanted number that a reload may start at a time.',
  },
} as const;
