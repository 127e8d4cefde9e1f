/** Runs the tests. What .mocharc.json cannot know: whether a forgotten `.only` is an error, as it is unattended. */
import { inRoot, run } from './project.mjs';

/** Resolves with the exit code. `EVY_TEST_NODE` is the Node that runs the tests and the servers that they start. */
export async function runMocha(args) {
  const node = process.env.EVY_TEST_NODE ?? process.execPath;
  const strict = process.env.CI ? ['--forbid-only'] : [];
  // Not by way of bin/mocha.js, which is a process of its own only to add Node's options, and which takes no signal but INT.
  const mocha = inRoot('node_modules', 'mocha', 'lib', 'cli', 'cli.js');
  return run(node, ['--import', 'tsx', mocha, ...strict, ...args]);
}
