/** The pages of docs/ that are tables of the code. Pure: the same text on every machine. */
import { errorTable, type ErrorCode } from '../src/shared/errors.ts';
import { logEvents } from '../src/shared/log/events.ts';
import { defaultText } from '../src/shared/options/format.ts';
import { flagName, isSwitch, optionNames, optionRow, variableNames } from '../src/shared/options/names.ts';
import { differenceRows } from '../test/fuzz/differences.ts';
import { wrap } from './wrap.ts';
import { optionGroups, type OptionGroup, type OptionName } from '../src/shared/options/table.ts';

/** A cell's bars and angle brackets must not end it. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function code(text: string): string {
  return `\`${text.replaceAll('|', '\\|')}\``;
}

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

function flagCell(name: OptionName): string {
  const row = optionRow(name);
  if (row.flag === false) return '';
  if (row.positional === true) return name === 'app' ? 'the first word' : 'the words after it';
  if (isSwitch(name)) return `${code(`--${flagName(name)}`)} ${code(`--no-${flagName(name)}`)}`;
  const short = row.short === undefined ? '' : `${code(`-${row.short}`)} `;
  return `${short}${code(`--${flagName(name)} ${row.placeholder}`)}`;
}

function optionCells(name: OptionName): string[] {
  const row = optionRow(name);
  const byDefault = row.defaultText ?? (defaultText(name) === 'none' ? 'none' : code(defaultText(name)));
  return [
    code(name),
    flagCell(name),
    variableNames(name).map(code).join(' '),
    byDefault,
    row.appliesOn,
    cell(row.help),
  ];
}

const differencesMark = '<!-- differences: written by npm run docs -->\n';
const endMark = '<!-- end of differences -->';

/** The page about security as it is, with the table of differences as it has to be. */
export function securityPage(page: string): string {
  const rows = differenceRows.map(({ what, evy, node, why }) => [cell(what), evy, node, cell(why)]);
  const [before = '', behind = ''] = page.split(differencesMark);
  const after = behind.slice(behind.indexOf(endMark));
  return `${before}${differencesMark}\n${table(['what', 'evy', 'node:http', 'why'], rows)}\n${after}`;
}

export function optionsPage(): string {
  const groups = (Object.keys(optionGroups) as OptionGroup[]).map((group) => {
    const rows = optionNames.filter((name) => optionRow(name).group === group).map(optionCells);
    return `## ${optionGroups[group]}\n\n${table(['option', 'flag', 'variable', 'default', 'a change applies on', 'what it does'], rows)}`;
  });
  return `# Options

Which options are there, and how is each set? The tables below have every option with its flag, variable and default;
\`npm run docs\` writes them from the option table of the code.

An option has one name everywhere: \`maxHead\` in a configuration file and in \`createMaster()\`, \`--max-head\` as a
flag, \`EVY_MAX_HEAD\` as a variable. Flags win over variables, variables over the file, the file over the defaults; a
variable \`EVY_*\` wins over a platform's own name such as \`PORT\`. \`evy --print-config\` shows each value and where
it came from.

- **Configuration file**: \`evy.config.js\`, \`.mjs\`, \`.ts\` or \`.json\` in the working directory, or the file named
  with \`--config\`. A module exports an object, or a function (async or not) that returns one. It is run in a process
  of its own, at the start and at each reload, and has ten seconds.
- **Times** are \`500ms\`, \`30s\`, \`5m\`, \`1h\`; a number without a unit is seconds. **Sizes** are \`512\`,
  \`64KiB\`, \`10MB\`.
- **Lists** (\`bind\`, \`middleware\`, \`trustedProxies\` and the like): repeat the flag, separate the items of a
  variable with commas, write a list in a file.
- **Switches**: \`--debug\` and \`--no-debug\`; \`true\`, \`yes\`, \`on\`, \`1\` and their opposites in a variable.
- **Relative paths** in a configuration file are relative to the file, all others to the working directory.
- **Empty variables** count as unset.
- **\`bind\` against \`host\` and \`port\`**: the higher layer wins. In one layer, \`bind\` wins among variables; as
  flags, in one file or in one call, the two together are an error. A bind that is a port alone takes its host from
  \`host\`.

A change of an option that applies on **reload** takes effect at the next SIGHUP; of one that applies on **restart**
when evy is started again.

${groups.join('\n')}`;
}

function errorGroup(
  title: string,
  text: string,
  fits: (code: ErrorCode) => boolean,
  column: string,
  value: (code: ErrorCode) => string,
): string {
  const codes = (Object.keys(errorTable) as ErrorCode[]).filter(fits);
  const rows = codes.map((name) => [code(name), ...(column === '' ? [] : [value(name)]), cell(errorTable[name].help)]);
  return `## ${title}\n\n${wrap(text)}\n\n${table(['code', ...(column === '' ? [] : [column]), 'what it means, and what to change'], rows)}`;
}

export function errorsPage(): string {
  const row = (name: ErrorCode): { status?: number; exit?: number } => errorTable[name];
  return `# Errors

What does this error mean, and what should be changed? Each error of evy is an \`EvyError\` with one of these codes as
its \`code\` and its reason as its \`cause\`; \`npm run docs\` writes this page from the error table of the code.

${[
  errorGroup(
    'Answers',
    'A request or its response went wrong; the client gets this status.',
    (name) => row(name).status !== undefined,
    'status',
    (name) => String(row(name).status),
  ),
  errorGroup(
    'Ends of the command',
    'The command ends with this code: 1 is a fault of evy, 2 usage, 3 no worker can boot or bind, 4 the application failed to load. 0 is a clean end.',
    (name) => row(name).exit !== undefined,
    'exit code',
    (name) => String(row(name).exit),
  ),
  errorGroup(
    'Reports',
    'These are logged, or reject the promise of a call.',
    (name) => row(name).status === undefined && row(name).exit === undefined,
    '',
    () => '',
  ),
].join('\n')}`;
}

export function logPage(): string {
  const rows = Object.entries(logEvents).map(([event, help]) => [code(event), cell(help)]);
  return `# Log lines

What does a line of the log mean? Each line names one of these events. This page is written from the table of events by
\`npm run docs\`.

A line is JSON where standard error is not a terminal (option \`logStyle\`), text for people otherwise. Fields have the
same names everywhere: \`worker\` and \`pid\` say which worker, \`generation\` which release, \`code\` is a code of
[errors.md](errors.md), \`request\` is the request that the line is about. What clients do is logged up to a budget of
lines a second for each event and code; the rest is counted ([limits.md](limits.md)).

${table(['event', 'what it means'], rows)}`;
}
