/**
 * Every text that a user can see, as one table: the complaint about each option, the error table, the log events, and the
 * sentences in the sources. `EVY_PRINT_MESSAGES=1 npm run mocha -- test/shared/messages-table.test.ts` prints it for a review.
 */
import { expect } from 'chai';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EvyError, errorTable } from '../../src/shared/errors.ts';
import { logEvents } from '../../src/shared/log/events.ts';
import { optionNames, optionRow } from '../../src/shared/options/names.ts';
import { resolveOptions, type Setting } from '../../src/shared/options/resolve.ts';
import type { OptionName } from '../../src/shared/options/table.ts';
import { projectRoot } from '../helpers/files.ts';

interface Message {
  readonly where: string;
  readonly text: string;
}

/** What is said of an option with a value that no option accepts. */
function complaintAbout(name: OptionName): string {
  const setting: Setting = { value: Symbol.for('wrong'), label: `option ${name}`, origin: 'test', folder: '/' };
  try {
    resolveOptions([{ kind: 'call', settings: new Map([[name, setting]]) }]);
  } catch (error) {
    if (error instanceof EvyError) return error.message;
    throw error;
  }
  throw new Error(`option ${name} accepts anything`);
}

/** String literals of at least three words outside of comments; an inserted value is shown as {}. */
function sentences(source: string): string[] {
  const found: string[] = [];
  for (const line of source.split('\n')) {
    if (/^\s*(?:\/\/|\/?\*)/.test(line)) continue;
    for (const [, quote, body = ''] of line.matchAll(/(['"`])((?:(?!\1)[^\\]|\\.)*)\1/g)) {
      const text = quote === '`' ? body.replaceAll(/\$\{(?:[^{}]|\{[^{}]*\})*\}/g, '{}') : body;
      if (/[a-z]+[,;:]? [a-z{}-]+[,;:]? [a-z{}]/i.test(text)) found.push(text);
    }
  }
  return found;
}

async function sourceMessages(): Promise<Message[]> {
  const folder = join(projectRoot, 'src');
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.ts')).toSorted();
  const texts = files.map(async (file) =>
    sentences(await readFile(join(folder, file), 'utf8')).map((text) => ({ where: file, text })),
  );
  return (await Promise.all(texts)).flat();
}

/** Words that make a reader guess who or what is meant, and the old form of a complaint. */
const unclear = /\b(?:whoever|whom|nobody|somebody|who is|is to be had|is no \w+ of)\b|, not \{\}$/i;

describe('messages', () => {
  const options: Message[] = optionNames.map((name) => ({ where: `option ${name}`, text: complaintAbout(name) }));
  const errors: Message[] = Object.entries(errorTable).map(([code, { help }]) => ({ where: code, text: help }));
  const events: Message[] = Object.entries(logEvents).map(([event, text]) => ({ where: event, text }));

  it('about an option say what is accepted and what came', () => {
    for (const { where, text } of options) expect(text, where).to.match(/^option \w+ must be .+ \(got .*\)$/);
  });

  it('of the tables are whole sentences', () => {
    for (const { where, text } of [...errors, ...events]) expect(text, where).to.match(/^[A-Za-z`].*\.$/s);
  });

  it('have no words that a reader has to decode', async () => {
    const all = [...options, ...errors, ...events, ...(await sourceMessages())];
    expect(all.length).to.be.greaterThan(200);
    expect(all.filter(({ text }) => unclear.test(text))).to.deep.equal([]);
    if (process.env['EVY_PRINT_MESSAGES'] === '1') for (const { where, text } of all) console.log(`${where}\t${text}`);
  });

  it('name each option in the words of its row', () => {
    for (const name of optionNames) expect(optionRow(name).help, name).to.match(/^[A-Z].*\.$/s);
  });
});
