/**
 * The parts of a master that its start needs. A program that imports evy but starts no master, such as an application,
 * does not load them.
 */
export { prepareGeneration, reloadedOptions } from './generations/generation.ts';
export { Supervisor } from './loop/supervisor.ts';
export { checkPlatform, fallbacksOf, neededParts } from './platform.ts';
export { chooseBinds } from './sockets/chosen-binds.ts';
export { giveUp, openListeners } from './sockets/listeners.ts';
export { takeoverFrom } from './upgrade/takeover.ts';
export { defaultWorkerEntry } from './workers/process.ts';
