/** `node scripts/run-ts.mjs FILE [arguments]`: a TypeScript program of this checkout, on every supported Node, after the build. */
import { prepare } from './lib/prepare.mjs';
import { fail, run } from './lib/project.mjs';

const [file, ...args] = process.argv.slice(2);
if (file === undefined) fail('run-ts needs the file to run');
await prepare();
process.exitCode = await run(process.execPath, ['--import', 'tsx', file, ...args]);
