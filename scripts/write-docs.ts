/**
 * Writes docs/options.md, docs/errors.md, docs/log.md and docs/lifecycle.md from the tables of the code, and the table in docs/security.md.
 * With `--check` it writes nothing and fails when a page differs.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { argv, exit, stderr, stdout } from 'node:process';
import { errorsPage, logPage, optionsPage, securityPage } from './docs-pages.ts';
import { lifecyclePage } from './lifecycle-page.ts';

const folder = fileURLToPath(new URL('../docs/', import.meta.url));
const pages: Readonly<Record<string, (present: string) => string>> = {
  'options.md': optionsPage,
  'errors.md': errorsPage,
  'log.md': logPage,
  'security.md': securityPage,
  'lifecycle.md': lifecyclePage,
};
const check = argv.includes('--check');
let stale = 0;

mkdirSync(folder, { recursive: true });
for (const [name, page] of Object.entries(pages)) {
  const path = `${folder}${name}`;
  const present = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const wanted = page(present);
  if (present === wanted) continue;
  stale += 1;
  if (check) stderr.write(`docs/${name} differs from the table: npm run docs\n`);
  else {
    writeFileSync(path, wanted);
    stdout.write(`docs/${name} written\n`);
  }
}
exit(check && stale > 0 ? 1 : 0);
