/** A master of ours with two workers. */
import { fileURLToPath } from 'node:url';
import { createMaster } from 'evy';
import { answerParent, type ServerProtocol } from '../child.ts';

const app = fileURLToPath(new URL('../apps/evy.ts', import.meta.url));
const master = createMaster({ app, workers: 2, port: 0, logLevel: 'error' });
await master.start();
const port = master.status().addresses[0]!.port!;

answerParent<ServerProtocol>({ port: () => port }, () => master.stop({ graceMs: 0 }));
