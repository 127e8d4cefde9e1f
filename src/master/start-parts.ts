/** What a master needs from its start on. A program that has imported evy and starts no master, such as an application, does not load it. */
export { prepareGeneration, reloadedOptions } from './generations/generation.ts';
export { Supervisor } from './loop/supervisor.ts';
export { checkPlatform, fallbacksOf, neededParts } from './platform.ts';
export { chooseBinds } from './sockets/chosen-binds.ts';
export { giveUp, openListeners } from './sockets/listeners.ts';
export { takeoverFrom } from './upgrade/takeover.ts';
export { defaultWorkerEntry } from './workers/process.ts';
