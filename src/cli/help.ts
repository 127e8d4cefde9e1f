/** `--help`, derived from the option table: grouped, wrapped, with examples and signals. */
import { defaultText } from '../shared/options/format.ts';
import { flagName, flagOptions, isSwitch, optionNames, optionRow, variableNames } from '../shared/options/names.ts';
import { optionGroups, type OptionGroup, type OptionName } from '../shared/options/table.ts';
import { commandFlags } from './command-line.ts';

const width = 96;
const indent = 32;

/** Lines of at most `width` columns; words longer than a line stay whole. */
function wrapped(text: string, columns: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function entry(left: string, right: string): string {
  const lines = wrapped(right, width - indent);
  const first = left.length + 4 <= indent ? `  ${left.padEnd(indent - 2)}${lines.shift()}` : `  ${left}`;
  return [first, ...lines.map((line) => ' '.repeat(indent) + line)].join('\n');
}

function flagEntry(name: OptionName): string {
  const row = optionRow(name);
  const short = row.short === undefined ? '' : `-${row.short}, `;
  const flag = isSwitch(name) ? `--[no-]${flagName(name)}` : `--${flagName(name)} ${row.placeholder}`;
  const platformVariables = variableNames(name).slice(1);
  const byDefault = defaultText(name);
  // The default format of the access log would fill three lines; the documentation shows it.
  const shown = byDefault === 'none' || byDefault.length > 40 ? [] : [`default: ${byDefault}`];
  const facts = [...shown, ...platformVariables.map((variable) => `or $${variable}`)];
  return entry(`${short}${flag}`, facts.length === 0 ? row.help : `${row.help} [${facts.join('; ')}]`);
}

function positionalEntries(): string[] {
  return optionNames
    .filter((name) => optionRow(name).positional === true)
    .map((name) => entry(name === 'app' ? 'APP' : name.toUpperCase(), optionRow(name).help));
}

function group(name: OptionGroup): string {
  const entries = flagOptions.filter((option) => optionRow(option).group === name).map(flagEntry);
  const words = name === 'application' ? positionalEntries() : [];
  return [`${optionGroups[name]}:`, ...words, ...entries].join('\n');
}

function commandEntry(flag: (typeof commandFlags)[number]): string {
  const short = 'short' in flag ? `-${flag.short}, ` : '';
  const placeholder = 'placeholder' in flag ? ` ${flag.placeholder}` : '';
  return entry(`${short}--${flag.name}${placeholder}`, flag.help);
}

const signals: ReadonlyArray<readonly [string, string]> = [
  ['HUP', 'reload the configuration and the application; no request is lost'],
  ['TERM, INT', 'stop: finish the requests within the grace time; a second INT stops at once'],
  ['QUIT', 'stop at once'],
  ['TTIN, TTOU', 'start one more worker, stop one worker'],
  ['USR1', 'reopen log files'],
];

const examples: readonly string[] = [
  'evy app.ts',
  'evy --port 3000 --workers 4 src/server.js:handler',
  'evy -b 0.0.0.0:80 -b tls:0.0.0.0:443 --certfile cert.pem --keyfile key.pem app.js',
  'evy --interface node express-app.js',
];

export function helpText(): string {
  return [
    'Usage: evy [serve] [flags] APP [MIDDLEWARE...]',
    '',
    'Serves an application on every core, and reloads it without losing a request.',
    '',
    ...(Object.keys(optionGroups) as OptionGroup[]).flatMap((name) => [group(name), '']),
    'Command:',
    ...commandFlags.map(commandEntry),
    '',
    'Signals to the master:',
    ...signals.map(([name, help]) => entry(name, help)),
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
    ...wrapped(
      'TIME is 500ms, 30s, 5m; SIZE is 512, 64KiB, 10MB. Each flag is also a variable (--max-head: EVY_MAX_HEAD) and an entry of the configuration file (maxHead). Flags win over variables, variables over the file.',
      width,
    ),
    '',
  ].join('\n');
}
