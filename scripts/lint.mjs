/** `npm run lint [-- paths]`: rules, who may import whom, file sizes (.oxlintrc.json). Warnings fail it too. */
import { commandOf } from './lib/checks.mjs';
import { prepare } from './lib/prepare.mjs';
import { run } from './lib/project.mjs';

// With the build: type-aware rules see the examples' `import 'evy'` only through dist.
await prepare();
process.exitCode = await run(process.execPath, [...commandOf('lint'), ...process.argv.slice(2)]);
