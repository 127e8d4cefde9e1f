import { reloadsInARow } from './reloads-in-a-row.ts';

describe('four reloads of two workers in a row, under load', () => reloadsInARow(4));
