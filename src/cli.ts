#!/usr/bin/env node
/**
 * The `evy` command. First it holds signals back, then it looks whether it can run here; the rest is loaded after that, since an
 * old Node could not even parse or link it, and since loading takes a while.
 */
import { refusal } from './cli/platform.ts';
import { HeldSignals } from './shared/held-signals.ts';

const signals = new HeldSignals();
const refused = refusal(process.platform, process.versions.node);
if (refused !== undefined) {
  process.stderr.write(`evy: ${refused}\n`);
  process.exit(2);
}

const { runCommand } = await import('./cli/run-command.ts');
await runCommand(signals);
