import { expect } from 'chai';
import { join } from 'node:path';
import { errorsPage, optionsPage, securityPage } from '../../scripts/docs-pages.ts';
import { differenceRows } from '../fuzz/differences.ts';
import { errorTable } from '../../src/shared/errors.ts';
import { optionNames } from '../../src/shared/option-names.ts';
import { projectRoot, readText } from '../helpers/files.ts';

describe('documentation of the tables', () => {
  it('is what the tables say (else: npm run docs)', async () => {
    expect(await readText(join(projectRoot, 'docs/options.md'))).to.equal(optionsPage());
    expect(await readText(join(projectRoot, 'docs/errors.md'))).to.equal(errorsPage());
    const security = await readText(join(projectRoot, 'docs/security.md'));
    expect(security).to.equal(securityPage(security));
    for (const { why } of differenceRows) expect(security).to.include(why);
  });

  it('names each option and each error once', () => {
    for (const name of optionNames) expect(optionsPage().split(`| \`${name}\` |`), name).to.have.length(2);
    for (const code of Object.keys(errorTable)) {
      // A client's error may end a process too: then it stands in both tables.
      expect(errorsPage().split(`| \`${code}\` |`).length, code).to.be.within(2, 3);
    }
  });
});
