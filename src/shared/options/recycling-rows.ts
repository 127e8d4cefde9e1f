/** Option rows about recycling: replacing a worker although nothing is wrong with it; see table.ts. */
import { bytes, duration, integer } from './schemas.ts';

const mostRequests = 1_000_000_000;

export const recyclingRows = {
  maxRequests: {
    schema: integer(0, mostRequests),
    default: 0,
    group: 'recycling',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'N',
    help: 'Number of requests after which a worker is replaced; 0 is no limit.',
  },
  maxRequestsJitter: {
    schema: integer(0, mostRequests),
    default: 0,
    group: 'recycling',
    scope: 'master',
    appliesOn: 'reload',
    placeholder: 'N',
    help: 'Random number of requests added to maxRequests for each worker, at most this, so that workers are not replaced all at once.',
  },
  maxAge: {
    schema: duration(0),
    default: 0,
    key: 'maxAgeMs',
    group: 'recycling',
    scope: 'master',
    appliesOn: 'reload',
    unit: 'seconds',
    placeholder: 'TIME',
    help: 'Time after which a worker is replaced; 0 is no limit.',
  },
  maxAgeJitter: {
    schema: duration(0),
    default: 0,
    key: 'maxAgeJitterMs',
    group: 'recycling',
    scope: 'master',
    appliesOn: 'reload',
    unit: 'seconds',
    placeholder: 'TIME',
    help: 'Random time added to maxAge for each worker, at most this.',
  },
  maxMemory: {
    schema: bytes(0),
    default: 0,
    key: 'maxMemoryBytes',
    group: 'recycling',
    scope: 'master',
    appliesOn: 'reload',
    unit: 'bytes',
    placeholder: 'SIZE',
    help: 'Resident memory at which a worker is replaced; 0 is no limit.',
  },
  maxTotalMemory: {
    schema: bytes(0),
    default: 0,
    key: 'maxTotalMemoryBytes',
    group: 'recycling',
    scope: 'master',
    appliesOn: 'reload',
    unit: 'bytes',
    placeholder: 'SIZE',
    help: 'Resident memory of all workers together at which the largest one is replaced; 0 is no limit.',
  },
} as const;
