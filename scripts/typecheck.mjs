/** `npm run typecheck`: the compiler over sources, tests and examples. */
import { commandOf } from './lib/checks.mjs';
import { prepare } from './lib/prepare.mjs';
import { run } from './lib/project.mjs';

await prepare();
process.exitCode = await run(process.execPath, commandOf('types'));
