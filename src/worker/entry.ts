/** The first module of a worker process. It holds signals back before the rest of the worker is loaded. */
import { HeldSignals } from '../shared/held-signals.ts';

const signals = new HeldSignals();
await import('./main.ts');
signals.passOn();
