import { hammeredReloads } from './hammered-reloads.ts';

describe('under pipelined, cut and posted requests, ten rolling reloads', () => hammeredReloads(10));
