/** `npm run mocha [-- arguments]`: the tests alone, on the build as it should be. */
import { runMocha } from './lib/mocha.mjs';
import { prepare } from './lib/prepare.mjs';

await prepare();
process.exitCode = await runMocha(process.argv.slice(2));
