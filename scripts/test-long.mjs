/**
 * `npm run test:long [-- mocha's arguments]`: what is long by nature (files named *.long.ts), each with a short form among the
 * other tests. Not before every change: CONTRIBUTING.md says when.
 */
import { runMocha } from './lib/mocha.mjs';
import { prepare } from './lib/prepare.mjs';

await prepare();
process.exitCode = await runMocha(['--config', '.mocharc.long.json', ...process.argv.slice(2)]);
