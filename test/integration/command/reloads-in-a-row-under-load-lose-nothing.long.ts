import { reloadsInARow } from './reloads-in-a-row.ts';

describe('a hundred reloads of two workers in a row, under load', () => reloadsInARow(100));
