#!/usr/bin/env node
/**
 * The `evy` command. It holds signals first, then checks whether evy can run here. The rest is imported after that:
 * loading takes a while, and an old Node could not even parse it.
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
