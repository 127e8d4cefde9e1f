/** The checks that look at the sources without running them, in one table; `npm test`, `npm run lint` and the like share it. */
import { inRoot } from './project.mjs';

const tool = (...path) => inRoot('node_modules', ...path);

const oxlint = tool('oxlint', 'bin', 'oxlint');
const oxfmt = tool('oxfmt', 'bin', 'oxfmt');
const tsc = tool('typescript', 'bin', 'tsc');

/** `command` is what Node is to run. */
export const checks = [
  { name: 'lint', command: [oxlint] },
  { name: 'format', command: [oxfmt, '--check'] },
  { name: 'types', command: [tsc, '-p', 'tsconfig.json'] },
];

export const commandOf = (wanted) => checks.find(({ name }) => name === wanted).command;
export const formatCommand = [oxfmt];
