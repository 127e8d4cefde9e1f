/** `npm run lint [-- paths]`: runs oxlint with .oxlintrc.json, which also restricts imports and the length of files. Warnings fail the run. */
import { commandOf } from './lib/checks.mjs';
import { prepare } from './lib/prepare.mjs';
import { run } from './lib/project.mjs';

// The build is needed because type-aware rules resolve `import 'evy'` of the examples to dist.
await prepare();
process.exitCode = await run(process.execPath, [...commandOf('lint'), ...process.argv.slice(2)]);
