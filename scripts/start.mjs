/** `npm start [-- flags]`: installs and builds what is missing, then serves examples/hello.ts with all cores. */
import { prepare } from './lib/prepare.mjs';
import { inRoot, run } from './lib/project.mjs';

await prepare();
process.exitCode = await run(process.execPath, [
  inRoot('dist', 'cli.js'),
  'serve',
  'examples/hello.ts',
  // Where, how many, how to reload and stop: for whoever tries it, also where npm's output is no terminal.
  '--log-style',
  'human',
  ...process.argv.slice(2),
]);
