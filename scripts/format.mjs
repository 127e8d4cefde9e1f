/** `npm run format [-- paths]`: writes every source in the one format; with `--check` it only says which are not. */
import { formatCommand } from './lib/checks.mjs';
import { prepareDependencies } from './lib/prepare.mjs';
import { run } from './lib/project.mjs';

await prepareDependencies();
process.exitCode = await run(process.execPath, [...formatCommand, ...process.argv.slice(2)]);
