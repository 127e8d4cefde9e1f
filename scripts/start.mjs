/** `npm start [-- flags]`: installs and builds what is missing, then serves examples/hello.ts with all cores. */
import { prepare } from './lib/prepare.mjs';
import { inRoot, run } from './lib/project.mjs';

await prepare();
process.exitCode = await run(process.execPath, [
  inRoot('dist', 'cli.js'),
  'serve',
  'examples/hello.ts',
  // Text for people also where the output of npm is not a terminal: it shows the address, the workers, and how to reload and stop.
  '--log-style',
  'human',
  ...process.argv.slice(2),
]);
