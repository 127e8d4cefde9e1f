import { expect } from 'chai';
import { join } from 'node:path';
import { errorsPage, logPage, optionsPage, securityPage } from '../../scripts/docs-pages.ts';
import { lifecyclePage, lives } from '../../scripts/lifecycle-page.ts';
import { differenceRows } from '../fuzz/differences.ts';
import { errorTable } from '../../src/shared/errors.ts';
import { optionNames } from '../../src/shared/options/names.ts';
import { projectRoot, readText } from '../helpers/files.ts';

describe('documentation of the tables', () => {
  it('is what the tables say (else: npm run docs)', async () => {
    expect(await readText(join(projectRoot, 'docs/options.md'))).to.equal(optionsPage());
    expect(await readText(join(projectRoot, 'docs/errors.md'))).to.equal(errorsPage());
    expect(await readText(join(projectRoot, 'docs/log.md'))).to.equal(logPage());
    expect(await readText(join(projectRoot, 'docs/lifecycle.md'))).to.equal(lifecyclePage());
    const security = await readText(join(projectRoot, 'docs/security.md'));
    expect(security).to.equal(securityPage(security));
    for (const { why } of differenceRows) expect(security).to.include(why);
  });

  it('draws each move of each table of states', () => {
    for (const { table, title } of lives) {
      const [, section = ''] = lifecyclePage().split(`## ${title}\n`);
      const arrows = section.slice(0, section.indexOf('\n| state'));
      for (const [state, moves] of Object.entries(table)) {
        for (const input of Object.keys(moves))
          expect(arrows, `${state} + ${input}`).to.match(
            new RegExp(`^ *${state.replaceAll('-', '_')} --> \\w+: .*\\b${input}\\b`, 'm'),
          );
      }
    }
  });

  it('names each option and each error once', () => {
    for (const name of optionNames) expect(optionsPage().split(`| \`${name}\` |`), name).to.have.length(2);
    for (const code of Object.keys(errorTable)) {
      // A client's error may end a process too: then it stands in both tables.
      expect(errorsPage().split(`| \`${code}\` |`).length, code).to.be.within(2, 3);
    }
  });
});
