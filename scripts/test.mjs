/**
 * `npm test [-- mocha's arguments]`: everything that has to hold before a change is taken. Each step is one line; the
 * first one that fails shows its output and ends the run.
 */
import { checks } from './lib/checks.mjs';
import { runMocha } from './lib/mocha.mjs';
import { prepare } from './lib/prepare.mjs';
import { fail, runQuietly, say } from './lib/project.mjs';

await prepare();

for (const { name, command } of checks) {
  const started = performance.now();
  if (!runQuietly(process.execPath, command)) fail(`${name} failed`);
  say(`${name} passed (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
process.exitCode = await runMocha(process.argv.slice(2));
